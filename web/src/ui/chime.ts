let audio: AudioContext | undefined

/** Two soft notes, made here: no file, nothing to fetch. A page that nobody has touched yet stays silent. */
export function chime(): void {
  audio ??= new AudioContext()
  if (audio.state === 'suspended') void audio.resume().catch(() => undefined)
  note(audio, 660, 0)
  note(audio, 880, 0.09)
}

function note(on: AudioContext, pitch: number, after: number): void {
  const start = on.currentTime + after
  const wave = new OscillatorNode(on, { type: 'sine', frequency: pitch })
  const loudness = new GainNode(on, { gain: 0 })
  loudness.gain.linearRampToValueAtTime(0.12, start + 0.01)
  loudness.gain.exponentialRampToValueAtTime(0.0001, start + 0.28)
  wave.connect(loudness).connect(on.destination)
  wave.start(start)
  wave.stop(start + 0.3)
}
