import type { UserId } from './protocol'

const lasts = 5000 // ms after which somebody who told nothing more has stopped
const everySo = 3000 // ms between two tellings of mine

/** Who is writing in a room: heard of for five seconds, or until their message comes. */
export class Typists {
  private readonly people = new Map<UserId, { nickName: string; timer: ReturnType<typeof setTimeout> }>()
  private toldAt = 0

  constructor(private readonly changed: () => void) {}

  get names(): string[] {
    return [...this.people.values()].map((p) => p.nickName)
  }

  hear(userId: UserId, nickName: string): void {
    clearTimeout(this.people.get(userId)?.timer)
    this.people.set(userId, { nickName, timer: setTimeout(() => this.stop(userId), lasts) })
    this.changed()
  }

  /** They said it, or went. */
  stop(userId: UserId): void {
    const known = this.people.get(userId)
    if (!known) return
    clearTimeout(known.timer)
    this.people.delete(userId)
    this.changed()
  }

  /** Whether it is time to tell that I am writing; said yes to once in a while. */
  due(now = Date.now()): boolean {
    if (now - this.toldAt < everySo) return false
    this.toldAt = now
    return true
  }
}
