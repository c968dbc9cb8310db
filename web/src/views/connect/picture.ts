/** The mineral pigments that a picture may be in; see tokens.css. */
export const pigments = [1, 2, 3, 4, 5, 6, 7, 8] as const

const size = 256

/** A bot's sign on a pigment, as a picture to be uploaded: pictures are the same in both themes, so the light ones' colours. */
export async function botPicture(pigment: number): Promise<File> {
  const canvas = Object.assign(document.createElement('canvas'), { width: size, height: size })
  const pen = canvas.getContext('2d')!
  const [ground, sign] = colours[pigment - 1]!
  pen.fillStyle = ground
  pen.fillRect(0, 0, size, size)
  pen.translate(size / 4, size / 4) // the icon's grid of 20, on the middle half
  pen.scale(size / 40, size / 40)
  Object.assign(pen, { strokeStyle: sign, lineWidth: 1.5, lineCap: 'round', lineJoin: 'round' })
  pen.beginPath()
  pen.roundRect(4, 7, 12, 8.5, 2.5)
  pen.stroke()
  pen.stroke(new Path2D('M10 7V4M7.8 10.6v1.3M12.2 10.6v1.3'))
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/png'))
  return new File([blob!], 'bot.png', { type: 'image/png' })
}

const colours = [
  ['#3F6C8F', '#D6E6F2'], ['#437455', '#D5EBDB'], ['#9A5A37', '#F7DFCD'], ['#8C6A1C', '#F7E7B8'],
  ['#A34A5C', '#F8D9DE'], ['#4F5E93', '#DCE2F7'], ['#7A5072', '#F0DCEB'], ['#6A7036', '#E7EBC6'],
] as const
