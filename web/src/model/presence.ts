import { Refusal, type Presence, type PresenceAnswer, type PresencePush, type UserId } from './protocol'
import { Watched } from './watched'
import type { Link } from './wire'

const gather = 100 // ms: who comes into sight together is asked for together
const fresh = 60_000 // ms: large groups are not told who comes and goes, so what is shown is asked for again
const most = 200 // ids in one request

/** Who is here, of the people on the screen: asked for when they come into sight, and kept true by what is pushed. */
export class Presences extends Watched {
  private readonly shown = new Map<UserId, number>() // in how many places
  private readonly known = new Map<UserId, Presence>()
  private readonly left = new Map<UserId, number>()
  private timer: ReturnType<typeof setTimeout> | undefined
  private timerAt = 0

  constructor(
    private readonly link: Link,
    private readonly me: () => UserId | undefined,
    /** Whether somebody looks at the page: nobody is asked for otherwise. */
    private readonly attentive: () => boolean,
  ) {
    super()
  }

  /** Keeps to know of somebody who is shown, until the returned function is called. */
  follow(id: UserId): () => void {
    this.shown.set(id, (this.shown.get(id) ?? 0) + 1)
    if (!this.known.has(id)) this.askIn(gather)
    let done = false
    return () => {
      if (done) return
      done = true
      const places = this.shown.get(id)! - 1
      if (places > 0) this.shown.set(id, places)
      else this.forget(id)
    }
  }

  /** Undefined while it is not known. I am here as long as the server knows it. */
  of(id: UserId): Presence | undefined {
    if (!this.link.ready) return undefined
    return id === this.me() ? 'online' : this.known.get(id)
  }

  /** When somebody who is offline was here last, as a time in ms; undefined where nobody knows. */
  seenAt(id: UserId): number | undefined {
    return this.left.get(id)
  }

  hear({ userId, presence }: PresencePush): void {
    if (!this.shown.has(userId)) return
    this.known.set(userId, presence)
    if (presence === 'offline') this.left.set(userId, Date.now())
    this.changed()
  }

  /** After a time without a connection nothing known is worth anything. */
  renew(): void {
    this.known.clear()
    if (this.shown.size > 0) this.askIn(gather)
    this.changed()
  }

  private forget(id: UserId): void {
    for (const map of [this.shown, this.known, this.left]) map.delete(id)
  }

  private askIn(ms: number): void {
    const at = Date.now() + ms
    if (this.timer !== undefined && this.timerAt <= at) return
    clearTimeout(this.timer)
    this.timerAt = at
    this.timer = setTimeout(() => {
      this.timer = undefined
      void this.ask()
    }, ms)
  }

  private async ask(): Promise<void> {
    const ids = [...this.shown.keys()]
    if (this.link.ready && this.attentive()) {
      for (let i = 0; i < ids.length; i += most) await this.askFor(ids.slice(i, i + most))
    }
    if (this.shown.size > 0) this.askIn(fresh)
  }

  private async askFor(userIds: UserId[]): Promise<void> {
    try {
      const { online, away = [], seen = {} } = await this.link.request<PresenceAnswer>('presence', { userIds })
      const here = new Set(online)
      const elsewhere = new Set(away)
      for (const id of userIds) {
        if (!this.shown.has(id)) continue // went out of sight meanwhile
        this.known.set(id, elsewhere.has(id) ? 'away' : here.has(id) ? 'online' : 'offline')
        if (seen[id]) this.left.set(id, Date.parse(seen[id]))
      }
      this.changed()
    } catch (err) {
      if (!(err instanceof Refusal)) throw err // asked again after a while
    }
  }
}
