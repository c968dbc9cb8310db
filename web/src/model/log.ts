import type { Change, Group, HistoryAnswer, Member, Row, SyncedGroup } from './protocol'
import { Ranges, type Range } from './ranges'

/** A push that carries a number of the group's counter. */
export type Numbered = { n: number } & ({ message: Row } | { change: Change })

/** What a reader of the log may want to know about an applied step. */
export interface LogEvents {
  /** A row is held now, for the first time or in a newer state. */
  merged?(row: Row): void
  /** A message that was not there before, newer than everything applied until then; live or made up for by a sync. */
  arrived?(row: Row): void
  member?(member: Member): void
  group?(group: Group): void
  /** A row that is not held was told, because it changed. */
  passed?(row: Row): void
  /** A row has changed, held or not, and the push does not show it. */
  stale?(seq: number): void
  /** May complete a row from the one it replaces, before it is kept. */
  refine?(row: Row, before: Row | undefined): Row
}

/**
 * Log is what this client holds of one group, and the one place where it changes: the head up to which everything
 * is applied, rows by seq, the stretches of seq held completely, and the pushes held back because a number before
 * them is missing. The rules are those of the protocol's chapter "Staying in step"; no time passes in here, and
 * nothing is asked for: `gap` tells the owner that a sync is due.
 */
export class Log {
  head = 0
  /** A snapshot was taken: the head means something. */
  started = false
  readonly ranges = new Ranges()
  private readonly rows = new Map<number, Row>()
  private sorted: Row[] | undefined
  private readonly held = new Map<number, Numbered>()
  /** Changes to rows outside the ranges: kept while a page that may hold them is on its way. */
  private readonly strays = new Map<number, Row>()
  private syncing = 0
  private paging = 0
  private heard = 0
  /** Where a sync in several answers began: a later one brings what is new but was changed since, out of its place. */
  private since: number | undefined

  constructor(private readonly events: LogEvents = {}) {}

  /** A number is missing: something after it was heard of, and nothing that would bring it is on its way. */
  get gap(): boolean {
    return this.syncing === 0 && this.behind
  }

  /** Something after the head was heard of. */
  get behind(): boolean {
    return this.started && this.heard > this.head
  }

  /** The rows held, oldest first. */
  all(): readonly Row[] {
    return (this.sorted ??= [...this.rows.values()].sort((a, b) => a.seq - b.seq))
  }

  row(seq: number): Row | undefined {
    return this.rows.get(seq)
  }

  /** Takes a numbered push, in any order and any number of times. */
  push(p: Numbered): void {
    this.heard = Math.max(this.heard, p.n)
    if (this.syncing > 0 || !this.started || p.n > this.head + 1) {
      this.hold(p)
      return
    }
    this.apply(p)
    this.drain()
  }

  /** Hears of the group's head by a digest: a lost last push shows as a gap. */
  hear(head: number): void {
    this.heard = Math.max(this.heard, head)
  }

  /** Between beginSync and endSync pushes are held: a snapshot is on its way. Pairs may nest. */
  beginSync(): void {
    this.syncing++
  }

  endSync(): void {
    this.syncing--
    if (this.syncing === 0) this.drain()
  }

  /** Starts from a snapshot without rows, such as the overview gives. */
  start(head: number): void {
    if (!this.started) this.begin(head)
  }

  /** Takes the newest page of a first entry, or of a re-entry; then the head may still lag, which shows as a gap. */
  join(head: number, newest: readonly Row[], before: boolean): void {
    const known = this.started ? this.head : head
    this.begin(known)
    this.heard = Math.max(this.heard, head)
    this.ranges.add((before && newest[0]?.seq) || 1, head)
    for (const row of newest) {
      if (this.merge(row) && row.seq > known) this.events.arrived?.(row)
    }
  }

  /** Takes one answer of sync, asked with the head as it is. True when more must be asked for. */
  sync(s: SyncedGroup): boolean {
    if (s.reset) this.forget()
    const asked = this.head
    const messages = s.messages ?? []
    const since = this.since ?? asked
    if (s.reset) this.ranges.add(messages[0]?.seq ?? s.head + 1, s.head)
    else this.ranges.add(asked + 1, s.head)
    this.begin(Math.max(asked, s.head))
    this.heard = Math.max(s.latest, ...this.held.keys())
    for (const row of messages) {
      if (this.merge(row) && row.seq > since && !s.reset) this.events.arrived?.(row)
    }
    for (const member of s.members ?? []) this.events.member?.(member)
    if (s.group) this.events.group?.(s.group)
    const more = s.more === true && s.head > asked
    this.since = more && !s.reset ? since : undefined
    return more
  }

  /** Says that a page was asked for. Every call is followed by one of page. */
  beginPage(): void {
    this.paging++
  }

  /** Takes a page of history, or undefined when it did not come. */
  page(asked: { before?: number; after?: number; around?: number }, answer: HistoryAnswer | undefined): void {
    if (answer) {
      const first = answer.messages[0]?.seq
      const last = answer.messages.at(-1)?.seq
      const from = asked.after !== undefined ? asked.after + 1 : answer.before ? first : 1
      const to = asked.before !== undefined ? asked.before - 1 : answer.after ? last : answer.head
      if (from !== undefined && to !== undefined) this.ranges.add(from, to)
      this.take(answer.messages)
      this.take([...this.strays.values()])
      this.heard = Math.max(this.heard, answer.head)
    }
    if (--this.paging === 0) this.strays.clear()
  }

  /** Lets go of what was held back: the connection it came by is gone, and a sync will follow. */
  cut(): void {
    this.held.clear()
    this.heard = this.head
  }

  /** Lets go of what has a lower seq: it is erased, and nothing is there any more. */
  erase(floor: number): void {
    for (const seq of this.rows.keys()) if (seq < floor) this.rows.delete(seq)
    this.sorted = undefined
  }

  /** Forgets all rows: the numbers of another epoch mean nothing in this one. What is held came after, and stays. */
  forget(): void {
    this.head = 0
    this.started = false
    this.since = undefined
    this.ranges.clear()
    this.rows.clear()
    this.sorted = undefined
    this.strays.clear()
  }

  /**
   * Lets go of the rows outside these stretches; a page brings them again, as they are then. While an answer is on its
   * way nothing is let go: it may be older than a change that only the row here shows.
   */
  keep(stretches: readonly Range[]): void {
    if (this.syncing > 0 || this.paging > 0) return
    this.ranges.keep(stretches)
    for (const seq of this.rows.keys()) if (!this.ranges.has(seq)) this.rows.delete(seq)
    this.sorted = undefined
  }

  private begin(head: number): void {
    this.head = head
    this.started = true
  }

  private hold(p: Numbered): void {
    const before = this.held.get(p.n)
    if (!before || revOf(before) <= revOf(p)) this.held.set(p.n, p)
  }

  private drain(): void {
    if (!this.started || this.syncing > 0) return
    for (const n of [...this.held.keys()].sort((a, b) => a - b)) {
      if (n > this.head + 1) break
      const p = this.held.get(n)!
      this.held.delete(n)
      this.apply(p)
    }
  }

  private apply(p: Numbered): void {
    const fresh = p.n > this.head
    if (fresh) {
      this.head = p.n
      this.ranges.add(p.n, p.n) // whatever took this number, no other message has it as its seq
    }
    if ('message' in p) {
      if (this.merge(p.message) && fresh) this.events.arrived?.(p.message)
      return
    }
    const { message, member, group, seq } = p.change
    if (message) this.merge(message)
    else if (seq !== undefined) this.events.stale?.(seq)
    if (member) this.events.member?.(member)
    if (group) this.events.group?.(group)
  }

  /** Takes rows that some answer carried, without their numbers: they wait in the live stream. */
  take(rows: readonly Row[]): void {
    for (const row of rows) this.merge(row)
  }

  /** Keeps the row with the greater rev. True when the row was not there before and is now. */
  private merge(row: Row): boolean {
    const mine = this.rows.get(row.seq)
    if (mine && mine.rev >= row.rev) return false
    if (!mine && !this.ranges.has(row.seq)) {
      const stray = this.strays.get(row.seq)
      if (this.paging > 0 && (!stray || stray.rev < row.rev)) this.strays.set(row.seq, row)
      this.events.passed?.(row)
      return false
    }
    const kept = this.events.refine?.(row, mine) ?? row
    this.rows.set(row.seq, kept)
    this.sorted = undefined
    this.events.merged?.(kept)
    return mine === undefined
  }
}

function revOf(p: Numbered): number {
  return 'message' in p ? p.message.rev : p.change.head
}
