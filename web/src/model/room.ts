import { Log } from './log'
import { carry, type Wishes } from './reactions'
import { index, type Range } from './ranges'
import {
  Refusal,
  type Change, type Gone, type Group, type GroupId, type HistoryAnswer, type JoinAnswer, type Member, type Membership,
  type Message, type ReadAnswer, type ReadsAnswer, type Role, type Row, type SyncAnswer, type SyncedGroup, type UserId,
} from './protocol'
import type { Newest } from './shelf'
import { Typists } from './typing'
import { Watched } from './watched'
import type { Link } from './wire'

/** Somebody who was seen in a group. */
export interface Person {
  userId: UserId
  nickName: string
  username?: string | undefined
  avatar?: string | undefined
  guest: boolean
  bot: boolean
  role?: Role
  mutedUntil?: string | undefined
  /** Has a membership that holds; a guest gets one with its first message. */
  member: boolean
  /** False when the membership ended. */
  here: boolean
}

/** A line that was told and is not kept, such as a guest's entering; shown after the row with that seq. */
export interface Told {
  key: string
  after: number
  message: Message
}

/** What a room tells its owner. */
export interface RoomEvents {
  /** A message arrived, live or made up for. */
  arrived?(room: Room, row: Row): void
  /** A message of mine is held in the group's order now. */
  mine?(clientId: string): void
  /** Somebody looks at it from now on; nothing of it has been shown yet. */
  opened?(room: Room): void
  closed?(room: Room): void
  /** I am out of the group. */
  left?(room: Room): void
}

const gapDelay = 150 // ms: a push may only be late
const meetDelay = 100 // ms: one request for all who stand in a page
const readDelay = 300 // ms: one request for a burst of messages read
const page = 50
const worthKeeping = 60 // rows, for the next visit
const mostHeld = 1500 // rows, however long the history and whatever arrives
const margin = 200 // rows kept on either side of what is shown, and of the newest
const mostQuotes = 500 // answered messages kept apart from the rows
const smallGroup = 50 // members up to which a group is told who has read
const lookBack = 200 // rows among which my newest that was read is looked for
const reeditable = 5 * 60_000 // ms after a recall

/** Room is one group as the app shows it: its log kept in step, who is in it, and how far I have read. */
export class Room extends Watched {
  readonly log: Log
  gone: Gone | undefined
  readSeq = 0
  unread = 0
  mentioned = 0
  /** The "new messages" line stands after this seq, while the room is open. */
  newLine: number | undefined
  readonly told: Told[] = []
  readonly typists = new Typists(() => this.changed())
  readonly people = new Map<UserId, Person>()
  /** The stretch that stands in the page; told by who shows it. */
  shown: (() => Range) | undefined
  /** A page is on its way. */
  loading: 'newest' | 'before' | 'after' | 'around' | undefined

  /** Counts how often everything was forgotten. */
  generation = 0

  isOpen = false

  /** What has no greater seq is no news: it was there before this page heard of the room. Infinity: the server was not heard yet. */
  private newsAfter = 0
  private placed = false
  private preview: Row | undefined
  private gapTimer: ReturnType<typeof setTimeout> | undefined
  private readTimer: ReturnType<typeof setTimeout> | undefined
  private readOwed = false
  private toldCount = 0
  private readonly strange = new Set<UserId>() // who will be asked for
  private readonly asked = new Set<UserId>()
  private meeting: ReturnType<typeof setTimeout> | undefined
  private paged: Range | undefined // what the last page brought
  private pins: Row[] = []
  private readonly owed = new Map<number, number>() // rows that changed and were not brought, and how often they were asked for
  private readonly quotes = new Map<number, Row | null>() // null: there is no such message, or it is on its way
  private readonly recalls = new Map<number, { text: string; at: number }>()
  private readonly wishes = new Map<number, Map<string, boolean>>()
  private readonly reads = new Map<UserId, number>() // how far others have read, as far as it is told
  private following = false

  constructor(
    public group: Group,
    private readonly link: Link,
    private readonly me: () => UserId | undefined,
    private readonly events: RoomEvents = {},
    /** Whether somebody looks at the page. */
    private readonly attentive: () => boolean = () => true,
  ) {
    super()
    this.log = new Log({
      merged: (row) => this.merged(row),
      arrived: (row) => this.arrived(row),
      member: (member) => this.meet(member),
      group: (group) => this.describe(group),
      passed: (row) => this.note(row),
      stale: (seq) => void this.freshen(seq),
      refine: (row, before) => carry(row, before, this.me()),
    })
    if (group.me) this.readSeq = group.me.readSeq
  }

  get id(): GroupId {
    return this.group.groupId
  }

  /** What it is called here: a conversation of two by the other one. */
  get name(): string {
    return this.group.kind === 'direct' ? (this.group.me?.peer?.nickName ?? this.group.name) : this.group.name
  }

  get picture(): string | undefined {
    return this.group.kind === 'direct' ? this.group.me?.peer?.avatar : this.group.avatar
  }

  /** The newest message known, for the list of conversations. */
  get last(): Row | undefined {
    const row = this.log.all().at(-1)
    return row && (!this.preview || row.seq >= this.preview.seq) ? row : this.preview
  }

  /** How many members the group has: what the server said, and who has become one since. */
  get size(): number {
    return Math.max(this.group.memberCount, [...this.people.values()].filter((p) => p.member && p.here).length)
  }

  /** The server was heard: what is here is not only what was kept of an earlier visit. */
  get known(): boolean {
    return this.log.started && this.newsAfter < Infinity
  }

  // Between two visits.

  /** The newest rows held, to be kept for the next visit. */
  newest(): Newest | undefined {
    const range = this.log.ranges.around(this.log.head)
    if (!range || this.gone || this.owed.size > 0) return undefined
    const held = this.log.all().filter((row) => row.seq >= range.from)
    const messages = held.slice(-worthKeeping)
    return messages.length > 0 ? { head: this.log.head, messages, before: range.from > 1 || messages.length < held.length } : undefined
  }

  /** Takes what was kept of an earlier visit, to be shown until the server is heard. */
  restore({ head, messages, before }: Newest): void {
    this.newsAfter = Infinity
    this.log.join(head, messages, before)
    this.settle()
  }

  // Taking what the server says.

  /** Takes the overview of the group that hello gives. */
  overview(group: Group, last: Row | undefined): void {
    this.gone = undefined
    this.hearOf(group.head)
    this.describe(group)
    this.log.start(group.head)
    if (last && (!this.preview || last.rev > this.preview.rev)) this.preview = last
    if (group.me) this.cursor(group.me)
    this.place()
    this.settle()
  }

  /** Takes the answer of joinRoom. */
  join(answer: JoinAnswer): void {
    this.gone = undefined
    this.hearOf(answer.head)
    this.log.join(answer.head, answer.messages, answer.before)
    this.describe(answer.group)
    this.cursor(answer.group.me ?? { readSeq: answer.head, unread: 0, mentioned: 0 })
    this.place()
    this.settle()
  }

  private hearOf(head: number): void {
    if (this.newsAfter === Infinity) this.newsAfter = head
  }

  /** Takes this group's part of a sync answer. True when more must be asked for. */
  synced(answer: SyncedGroup): boolean {
    if (answer.gone) {
      this.leave(answer.gone)
      return false
    }
    if (answer.reset) this.reset()
    const more = this.log.sync(answer)
    this.recount()
    this.changed()
    return more
  }

  pushMessage(message: Message): void {
    if (message.seq === undefined) this.tell(message)
    else this.log.push({ n: message.seq, message: { rev: message.seq, ...message } as Row })
    this.settle()
  }

  pushChange(change: Change): void {
    this.log.push({ n: change.head, change })
    this.settle()
  }

  /** Takes a row that answered an act of mine: it may be newer than the head, whose number comes by itself. */
  take(row: Row): void {
    this.log.take([row])
    this.settle()
  }

  /** Shows a reaction of mine as I want it, until the server has answered. */
  wish(seq: number, emoji: string, on: boolean | undefined): void {
    const wishes = new Map(this.wishes.get(seq))
    if (on === undefined) wishes.delete(emoji)
    else wishes.set(emoji, on)
    if (wishes.size > 0) this.wishes.set(seq, wishes)
    else this.wishes.delete(seq)
    this.changed()
  }

  /** The message pinned last, as far as it is known. */
  get pinned(): Row | undefined {
    return this.pins.filter((row) => row.pinnedAt && !row.recalledAt).sort((a, b) => (a.pinnedAt! < b.pinnedAt! ? 1 : -1))[0]
  }

  /** Asks what is pinned: most of it is older than what is held. */
  async loadPins(): Promise<void> {
    try {
      const { messages } = await this.link.request<{ messages: Row[] }>('pins', { groupId: this.id })
      for (const row of messages) this.notePin(row)
      this.changed()
    } catch (err) {
      if (!(err instanceof Refusal)) throw err // the bar stays away
    }
  }

  private notePin(row: Row): void {
    const known = this.pins.find((r) => r.seq === row.seq)
    if (known && known.rev >= row.rev) return
    if (known || row.pinnedAt) this.pins = [...this.pins.filter((r) => r !== known), row]
  }

  /** The row under that number, wherever it is: one that is not held is asked for, once. Null: not to be had, or not yet. */
  quoted(seq: number): Row | null {
    const held = this.log.row(seq) ?? this.quotes.get(seq)
    if (held !== undefined) return held
    this.quotes.set(seq, null)
    if (this.link.ready) void this.quote(seq)
    return null
  }

  private async quote(seq: number): Promise<void> {
    const row = await this.fetch(seq)
    if (row === null) this.quotes.delete(seq) // asked for again when it is shown again
    else if (row) this.quotes.set(seq, row)
    for (const oldest of this.quotes.keys()) {
      if (this.quotes.size <= mostQuotes) break
      this.quotes.delete(oldest)
    }
    this.changed()
  }

  /** Fetches a row that has changed out of sight, if it is here in any form. Its number counts already, so that no sync brings it:
   * without an answer it is asked for again. */
  private async freshen(seq: number): Promise<void> {
    if (!this.log.row(seq) && !this.quotes.has(seq)) return
    const asked = (this.owed.get(seq) ?? 0) + 1
    this.owed.set(seq, asked)
    const row = await this.fetch(seq)
    if (row === null) return
    if (this.owed.get(seq) === asked) this.owed.delete(seq)
    if (row) this.take(row)
  }

  /** Keeps what stands apart from the rows as new as they are. */
  private note(row: Row): void {
    this.notePin(row)
    const quote = this.quotes.get(row.seq)
    if (quote && quote.rev < row.rev) this.quotes.set(row.seq, row)
  }

  /** One row as it is now; undefined when it is not there, null when there was no answer. */
  private async fetch(seq: number): Promise<Row | undefined | null> {
    try {
      const answer = await this.link.request<HistoryAnswer>('history', { groupId: this.id, around: seq, limit: 1 })
      return answer.messages.find((m) => m.seq === seq)
    } catch (err) {
      if (!(err instanceof Refusal)) throw err
      return err.passing ? null : undefined
    }
  }

  /** What I recalled can be written anew for a while. */
  keepRecalled(seq: number, text: string): void {
    this.recalls.set(seq, { text, at: Date.now() })
  }

  recalled(seq: number | undefined): string | undefined {
    const kept = seq === undefined ? undefined : this.recalls.get(seq)
    return kept && Date.now() - kept.at < reeditable ? kept.text : undefined
  }

  wishesFor(seq: number | undefined): Wishes | undefined {
    return seq === undefined ? undefined : this.wishes.get(seq)
  }

  hear(head: number): void {
    this.log.hear(head)
    this.settle()
  }

  /** Takes my own row of the group, as another tab or device left it. */
  cursor(m: Partial<Membership>): void {
    this.readSeq = Math.max(this.readSeq, m.readSeq ?? 0)
    this.unread = m.unread ?? this.unread
    this.mentioned = m.mentioned ?? this.mentioned
    if (this.group.me) this.group = { ...this.group, me: { ...this.group.me, ...m } } // anew, so that views see the change
    this.recount()
    this.changed()
  }

  leave(reason: Gone): void {
    this.gone = reason
    this.events.left?.(this)
    this.changed()
  }

  /** Holds pushes back while a snapshot is on its way; release ends it. */
  hold(): void {
    this.log.beginSync()
  }

  release(): void {
    this.log.endSync()
    this.settle()
    if (this.readOwed) this.tellRead()
    if (this.link.ready) for (const seq of this.owed.keys()) void this.freshen(seq)
  }

  /** The numbers begin anew: nothing held is worth anything. */
  reset(): void {
    if (this.known) this.newsAfter = 0
    this.log.forget()
    this.preview = undefined
    this.quotes.clear()
    this.owed.clear()
    this.pins = []
    this.readSeq = 0
    this.reads.clear()
    this.generation++
  }

  /** The connection is gone, and with it what was held. */
  cut(): void {
    this.log.cut()
    clearTimeout(this.gapTimer)
    this.gapTimer = undefined
  }

  // Staying in step.

  /** Asks for what is missing until nothing is. */
  async follow(): Promise<void> {
    if (this.following) return
    this.following = true
    this.hold()
    try {
      for (let more = true; more; ) {
        const answer = await this.link.request<SyncAnswer>('sync', { epoch: this.link.epoch, heads: { [this.id]: this.log.head } })
        const mine = answer.groups[this.id]
        more = mine !== undefined && this.synced(mine)
      }
    } catch (err) {
      if (!(err instanceof Refusal)) throw err // a refused sync is asked for again by the next push, digest or hello
    } finally {
      this.following = false
      this.release()
    }
  }

  private settle(): void {
    this.trim()
    this.changed()
    if (!this.log.gap || this.gapTimer !== undefined) return
    this.gapTimer = setTimeout(() => {
      this.gapTimer = undefined
      if (this.log.gap && this.link.ready) void this.follow()
    }, gapDelay)
  }

  /** Keeps the rows bounded: those shown, the newest and the last page stay; scrolling and jumps bring others again. */
  private trim(): void {
    const rows = this.log.all()
    if (rows.length <= mostHeld) return
    const kept = [{ from: rows.at(-margin)!.seq, to: Infinity }]
    if (this.paged) kept.push(this.paged)
    if (this.shown) {
      const { from, to } = this.shown()
      kept.push({ from: rows[Math.max(0, index(rows, from) - margin)]!.seq, to: rows[index(rows, to) + margin]?.seq ?? Infinity })
    }
    this.log.keep(kept)
  }

  /** What somebody is called here; who was never seen is asked for. */
  nameOf(userId: UserId): string | undefined {
    const name = this.people.get(userId)?.nickName
    if (name === undefined) this.acquaint([userId])
    return name
  }

  /** Learns who these are, beyond the name under which they spoke: each is asked for once, many with one request. */
  acquaint(userIds: Iterable<UserId>): void {
    if (!this.link.ready) return
    for (const id of userIds) if (id && !this.people.get(id)?.role && !this.asked.has(id)) this.strange.add(id)
    if (this.strange.size > 0) this.meeting ??= setTimeout(() => void this.meetStrangers(), meetDelay)
  }

  private async meetStrangers(): Promise<void> {
    this.meeting = undefined
    const userIds = [...this.strange].slice(0, 100)
    for (const id of userIds) {
      this.strange.delete(id)
      this.asked.add(id)
    }
    try {
      const { members } = await this.link.request<{ members: Member[] }>('members', { groupId: this.id, userIds })
      for (const member of members) this.meet(member)
      this.changed()
    } catch (err) {
      if (!(err instanceof Refusal)) throw err
      if (err.passing) for (const id of userIds) this.asked.delete(id) // asked for again when they are shown again
    }
    this.acquaint([])
  }

  // Pages of history.

  loadNewest(): Promise<boolean> {
    return this.load('newest', {})
  }

  /** Brings the page before seq. False when there is nothing, or it did not come. */
  loadBefore(seq: number): Promise<boolean> {
    return this.load('before', { before: seq })
  }

  loadAfter(seq: number): Promise<boolean> {
    return this.load('after', { after: seq })
  }

  loadAround(seq: number): Promise<boolean> {
    return this.load('around', { around: seq })
  }

  private async load(way: 'newest' | 'before' | 'after' | 'around', at: { before?: number; after?: number; around?: number }): Promise<boolean> {
    if (this.loading || !this.link.ready) return false
    this.loading = way
    this.log.beginPage()
    this.changed()
    let answer: HistoryAnswer | undefined
    try {
      answer = await this.link.request<HistoryAnswer>('history', { groupId: this.id, ...at, limit: page })
    } catch (err) {
      if (!(err instanceof Refusal)) throw err // scrolling asks again
    } finally {
      this.loading = undefined
      this.log.page(at, answer)
      if (answer?.messages.length) this.paged = { from: answer.messages[0]!.seq, to: answer.messages.at(-1)!.seq }
      this.recount()
      this.settle()
    }
    return answer !== undefined
  }

  // Reading.

  /** Somebody looks at this room from now on. */
  open(): void {
    this.isOpen = true
    this.placed = false
    this.events.opened?.(this)
    this.place()
    this.changed()
  }

  /** Places the "new messages" line, once per opening, as soon as the cursor is known. */
  private place(): void {
    if (!this.isOpen || this.placed || !this.known) return
    this.placed = true
    this.newLine = this.unread > 0 ? this.readSeq : undefined
  }

  close(): void {
    this.events.closed?.(this)
    this.isOpen = false
    this.shown = undefined
    this.newLine = undefined
    this.changed()
  }

  /** Everything up to seq was seen. */
  read(seq: number): void {
    if (seq <= this.readSeq) return
    this.readSeq = seq
    this.recount()
    this.readOwed = true
    this.readTimer ??= setTimeout(() => this.tellRead(), readDelay)
    this.changed()
  }

  /** Learns how far the others have read; afterwards it is pushed. Of a large group nobody asks that. */
  async loadReads(): Promise<void> {
    if (this.size > smallGroup || !this.link.ready) return
    try {
      this.hearReads((await this.link.request<ReadsAnswer>('reads', { groupId: this.id })).seqs)
    } catch (err) {
      if (!(err instanceof Refusal)) throw err // then only what is pushed is shown
    }
  }

  hearReads(seqs: Record<UserId, number>): void {
    for (const [id, seq] of Object.entries(seqs)) {
      if (id !== this.me()) this.reads.set(id, Math.max(this.reads.get(id) ?? 0, seq))
    }
    this.changed()
  }

  /** How many others have read a message. */
  readers(seq: number): number {
    return this.readersHere().filter((read) => read >= seq).length
  }

  /** The newest message of mine that somebody has read. */
  get lastRead(): number | undefined {
    const furthest = Math.max(0, ...this.readersHere())
    const rows = this.log.all()
    for (let i = rows.length - 1; i >= Math.max(0, rows.length - lookBack); i--) {
      const row = rows[i]!
      if (row.seq <= furthest && row.userId === this.me() && !row.recalledAt && (row.kind === 'text' || row.kind === 'file')) return row.seq
    }
    return undefined
  }

  private readersHere(): number[] {
    return [...this.reads].filter(([id]) => this.people.get(id)?.here !== false).map(([, seq]) => seq)
  }

  private tellRead(): void {
    clearTimeout(this.readTimer)
    this.readTimer = undefined
    if (!this.link.ready) return // release comes back to it
    this.readOwed = false
    const seq = this.readSeq
    this.link.request<ReadAnswer>('readUpTo', { groupId: this.id, seq }).then(
      (answer) => {
        if (this.readSeq === seq) this.cursor(answer)
      },
      (err: unknown) => {
        this.readOwed ||= err instanceof Refusal && err.passing
      },
    )
  }

  /** Counts exactly where everything since the cursor is held; elsewhere the server's number and what arrived since stand. */
  private recount(): void {
    if (!this.log.ranges.covers(this.readSeq + 1, this.log.head)) return
    const since = newer(this.log.all(), this.readSeq).filter((row) => this.counts(row))
    this.unread = since.length
    this.mentioned = since.filter((row) => this.mentionsMe(row)).length
  }

  private counts(row: Row): boolean {
    return (row.kind === 'text' || row.kind === 'file') && row.userId !== this.me()
  }

  mentionsMe(row: Message): boolean {
    const me = this.me()
    return row.mentions?.some((m) => m === 'all' || m === me) ?? false
  }

  // What the log says.

  private arrived(row: Row): void {
    this.typists.stop(row.userId)
    if (row.seq <= this.newsAfter) return
    if (row.userId === this.me()) {
      if (this.unread === 0) this.readSeq = Math.max(this.readSeq, row.seq)
    } else if (this.counts(row) && row.seq > this.readSeq) {
      if (this.isOpen && !this.attentive() && this.unread === 0) this.newLine = this.readSeq
      this.unread++
      if (this.mentionsMe(row)) this.mentioned++
    }
    this.recount()
    this.events.arrived?.(this, row)
  }

  private merged(row: Row): void {
    if (row.kind !== 'system') this.see(row, true)
    this.note(row)
    if (row.clientId && row.userId === this.me()) this.events.mine?.(row.clientId)
  }

  private tell(message: Message): void {
    if (message.userId === this.me()) return // that I came in is no news to me
    this.see(message, false)
    this.told.push({ key: 'told-' + ++this.toldCount, after: this.log.all().at(-1)?.seq ?? 0, message })
    if (this.told.length > 50) this.told.shift()
  }

  private see(m: Message, member: boolean): void {
    const known = this.people.get(m.userId)
    if (!m.userId || (known && known.member >= member)) return
    this.people.set(m.userId, { bot: false, here: true, ...known, userId: m.userId, nickName: m.nickName, guest: m.guest, member })
  }

  private meet(m: Member): void {
    const { userId, username, avatar, guest, bot, role, mutedUntil } = m
    this.people.set(userId, { userId, nickName: m.groupNick ?? m.nickName, username, avatar, guest, bot, role, mutedUntil, member: true, here: m.state === 'active' })
  }

  private describe(group: Group): void {
    if (group.rev < this.group.rev) return
    const me = group.me ?? this.group.me // pushes carry no private row
    this.group = me ? { ...group, me } : group
    if (group.floor) this.erase(group.floor)
  }

  private erase(floor: number): void {
    this.log.erase(floor)
    for (const seq of this.quotes.keys()) if (seq < floor) this.quotes.delete(seq)
  }
}

/** The rows after seq, oldest first. */
function newer(rows: readonly Row[], seq: number): readonly Row[] {
  let from = rows.length
  while (from > 0 && rows[from - 1]!.seq > seq) from--
  return rows.slice(from)
}
