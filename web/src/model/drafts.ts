import { forget, recall, remember, remembered } from './memory'
import type { GroupId, UserId } from './protocol'
import { Watched } from './watched'

/** Keeps a draft on the server, where my other devices find it; rejects when it is not kept. */
export type Keep = (group: GroupId, text: string) => Promise<unknown>

const rest = 1500 // ms without a letter before a draft is worth telling
const key = (me: UserId, group: GroupId) => `draft.${me}.${group}`

interface Draft {
  text: string
  /** What the server has; undefined when it was never told. */
  kept?: string | undefined
}

/**
 * Drafts are what stands in composers and is not sent: kept in this browser at once, and on the server when I pause. What
 * I wrote here and the server has not got yet wins over what it says; a field that has the focus is left alone.
 */
export class Drafts extends Watched {
  private me: UserId | undefined
  private readonly drafts = new Map<GroupId, Draft>()
  private readonly telling = new Set<GroupId>()
  private readonly timers = new Map<GroupId, ReturnType<typeof setTimeout>>()
  /** The group whose composer has the focus. */
  focused: GroupId | undefined

  constructor(private readonly keep: Keep) {
    super()
  }

  /** From now on the drafts of this person. */
  of(me: UserId | undefined): void {
    if (me === this.me) return
    this.me = me
    this.drafts.clear()
    for (const timer of this.timers.values()) clearTimeout(timer)
    this.timers.clear()
    this.changed()
  }

  get(group: GroupId): string {
    return this.draft(group).text
  }

  /** What was just written in a group. */
  write(group: GroupId, text: string): void {
    const draft = this.draft(group)
    if (!this.me || draft.text === text) return
    draft.text = text
    this.save(group, draft)
    clearTimeout(this.timers.get(group))
    this.timers.set(group, setTimeout(() => void this.tell(group), text ? rest : 0))
  }

  /** What the server has of a group. */
  hear(group: GroupId, text: string): void {
    const draft = this.draft(group)
    const mine = draft.text !== (draft.kept ?? '')
    draft.kept = text
    if (mine || text === draft.text || group === this.focused) return
    draft.text = text
    this.save(group, draft)
  }

  /** The connection is there: what could not be told is told. */
  wake(): void {
    for (const [group, draft] of this.drafts) if (draft.text !== (draft.kept ?? '')) void this.tell(group)
  }

  /** A group's draft goes to another group. */
  move(from: GroupId, to: GroupId): void {
    const text = this.get(from)
    this.drafts.delete(from)
    if (this.me) forget(key(this.me, from))
    if (text) this.write(to, text)
  }

  private draft(group: GroupId): Draft {
    let draft = this.drafts.get(group)
    if (!draft) {
      draft = { text: (this.me && recall<string>(key(this.me, group))) ?? '' }
      this.drafts.set(group, draft)
    }
    return draft
  }

  private save(group: GroupId, { text }: Draft): void {
    if (!this.me) return
    if (text) remember(key(this.me, group), text)
    else forget(key(this.me, group))
    this.changed()
  }

  /** Tells the server, one word after the other: what is written while it is told is told after it. */
  private async tell(group: GroupId): Promise<void> {
    this.timers.delete(group)
    if (this.telling.has(group)) return
    this.telling.add(group)
    const { me } = this
    const draft = this.draft(group)
    try {
      while (this.me === me && draft.text !== (draft.kept ?? '')) {
        const { text } = draft
        await this.keep(group, text)
        draft.kept = text
      }
    } catch {
      // it is kept here, and told when the connection is back
    } finally {
      this.telling.delete(group)
    }
  }
}

/** All drafts of one id of a person go to the person's new id. */
export function handDrafts(from: UserId, to: UserId): void {
  for (const old of remembered(`draft.${from}.`)) {
    const text = recall<string>(old)
    forget(old)
    if (text !== undefined) remember(old.replace(from, to), text)
  }
}
