import { Watched } from './watched'

const quiet = 2000 // ms: shorter outages are nobody's business
const shown = 4000 // ms the good news stays

/** Outage is what the connection banner tells: nothing, that we are cut off, or what came back with the connection. */
export class Outage extends Watched {
  state: 'none' | 'lost' | 'back' = 'none'
  /** Messages of others that an outage kept from us and that are here now. */
  missed = 0
  private down = false
  private timer: ReturnType<typeof setTimeout> | undefined

  begin(): void {
    if (this.down) return
    this.down = true
    if (this.state === 'lost') return
    this.missed = 0
    this.after(quiet, 'lost')
  }

  /** Counts a message that was made up for. */
  count(): void {
    if (this.down) this.missed++
  }

  end(): void {
    if (!this.down) return
    this.down = false
    clearTimeout(this.timer)
    if (this.state !== 'lost') return
    this.become('back')
    this.after(shown, 'none')
  }

  private after(ms: number, state: Outage['state']): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.become(state), ms)
  }

  private become(state: Outage['state']): void {
    this.state = state
    this.changed()
  }
}
