import {
  Refusal, type Change, type Group, type HelloAnswer, type HistoryAnswer, type JoinAnswer, type Message, type Row, type SyncAnswer, type SyncedGroup, type User,
} from '../src/model/protocol'
import type { Wire, WireEvents } from '../src/model/wire'

/** A group as the server has it: one counter, rows in their present state. */
class ServerGroup {
  head = 0
  rows = new Map<number, Row>()
  read = new Map<string, number>()
  members = new Set<string>()
  clientIds = new Map<string, number>()

  constructor(readonly id: string, readonly name: string) {}

  sorted(): Row[] {
    return [...this.rows.values()].sort((a, b) => a.seq - b.seq)
  }
}

/** What may go wrong on the way of a push. */
export type Fate = 'delivered' | 'lost' | 'twice' | 'late'

/**
 * FakeServer keeps groups by the rules of the protocol's chapter 4, in memory. Answers and pushes take their time on
 * separate ways, so a push may come before the answer that introduces it, and, when fate says so, late, twice or never.
 */
export class FakeServer {
  epoch = 'e1'
  groups = new Map<string, ServerGroup>()
  wires = new Set<FakeWire>()
  pageSize = 50
  syncSize = 500
  fate: () => Fate = () => 'delivered'
  delay: () => number = () => 1
  /** Requests of that name are refused with that, once each. */
  refusals: { event: string; refusal: Refusal }[] = []
  asked: string[] = []
  private ids = 0

  group(name: string): ServerGroup {
    for (const g of this.groups.values()) if (g.name === name) return g
    const g = new ServerGroup('group-' + name, name)
    this.groups.set(g.id, g)
    return g
  }

  say(g: ServerGroup, by: User, text: string, clientId?: string): { row: Row; duplicate: boolean } {
    const known = clientId ? g.clientIds.get(by.userId + clientId) : undefined
    if (known !== undefined) return { row: { ...g.rows.get(known)! }, duplicate: true }
    const n = ++g.head
    const row: Row = {
      id: 'm' + ++this.ids, groupId: g.id, seq: n, rev: n, room: g.name, userId: by.userId, nickName: by.nickName, guest: by.guest, kind: 'text',
      message: text, sentAt: new Date(n * 1000).toISOString(), ...(clientId && { clientId }),
    }
    g.rows.set(n, row)
    g.members.add(by.userId)
    if (clientId) g.clientIds.set(by.userId + clientId, n)
    this.push(g, 'message', { ...row })
    return { row: { ...row }, duplicate: false }
  }

  edit(g: ServerGroup, seq: number, text: string): void {
    const row = this.changed(g, seq, text)
    this.push(g, 'change', { groupId: g.id, head: row.rev, kind: 'message', message: { ...row } } satisfies Change)
  }

  /** An edit in a group whose history is hidden from who joined later. */
  editUnseen(g: ServerGroup, seq: number, text: string): void {
    const { rev } = this.changed(g, seq, text)
    this.push(g, 'change', { groupId: g.id, head: rev, seq } satisfies Change)
  }

  private changed(g: ServerGroup, seq: number, text: string): Row {
    const row = { ...g.rows.get(seq)!, message: text, rev: ++g.head }
    g.rows.set(seq, row)
    return row
  }

  heads(g: ServerGroup): void {
    for (const wire of this.wires) if (wire.inside.has(g.id)) wire.deliver('heads', { epoch: this.epoch, heads: { [g.id]: g.head } }, 'delivered', this.delay())
  }

  push(g: ServerGroup, event: string, payload: unknown): void {
    for (const wire of this.wires) if (wire.inside.has(g.id)) wire.deliver(event, payload, this.fate(), this.delay())
  }

  describe(g: ServerGroup, me: User): Group {
    const readSeq = g.read.get(me.userId) ?? 0
    const unread = g.sorted().filter((r) => r.seq > readSeq && r.userId !== me.userId).length
    return {
      groupId: g.id, room: g.name, name: g.name, kind: 'group', visibility: 'open', memberCount: g.members.size, head: g.head, rev: 1,
      me: { role: 'member', readSeq, unread, mentioned: 0 },
    }
  }

  answer(wire: FakeWire, event: string, p: any): unknown {
    const me = wire.user
    this.asked.push(event)
    const at = this.refusals.findIndex((r) => r.event === event)
    if (at >= 0) throw this.refusals.splice(at, 1)[0]!.refusal
    switch (event) {
      case 'hello': {
        const mine = [...this.groups.values()].filter((g) => g.members.has(me.userId))
        for (const g of mine) wire.inside.add(g.id)
        return {
          epoch: this.epoch, me,
          groups: mine.map((g) => ({ ...this.describe(g, me), ...(g.rows.size && { lastMessage: { ...g.sorted().at(-1)! } }) })),
          ...(p.epoch && p.heads && { sync: this.sync(me, wire.inside, p) }),
        } satisfies HelloAnswer
      }
      case 'joinRoom': {
        const g = p.groupId ? this.groups.get(p.groupId)! : this.group(p.roomName)
        wire.inside.add(g.id)
        if (!me.guest) g.members.add(me.userId)
        const page = g.sorted().slice(-this.pageSize)
        return { epoch: this.epoch, head: g.head, group: this.describe(g, me), me, messages: copy(page), before: page.length < g.rows.size } satisfies JoinAnswer
      }
      case 'sendMessage': {
        if (!wire.inside.has(p.groupId)) throw new Refusal('NOT_IN_ROOM')
        const { row, duplicate } = this.say(this.groups.get(p.groupId)!, me, p.message, p.clientId)
        return { message: row, duplicate }
      }
      case 'history': return this.history(p)
      case 'sync': return this.sync(me, wire.inside, p)
      case 'readUpTo': {
        const g = this.groups.get(p.groupId)!
        g.read.set(me.userId, Math.max(g.read.get(me.userId) ?? 0, Math.min(p.seq, g.head)))
        const { readSeq, unread, mentioned } = this.describe(g, me).me!
        for (const other of this.wires) {
          if (other !== wire && other.user.userId === me.userId) other.deliver('me', { head: 1, group: { groupId: g.id, me: { readSeq, unread, mentioned } } }, 'delivered', 1)
        }
        return { readSeq, unread, mentioned }
      }
      default: throw new Refusal('INVALID')
    }
  }

  private history(p: { groupId: string; before?: number; after?: number; around?: number; limit: number }): HistoryAnswer {
    const g = this.groups.get(p.groupId)!
    const all = g.sorted()
    const size = Math.min(p.limit, this.pageSize)
    let from = Math.max(0, all.length - size)
    let to = all.length
    if (p.before !== undefined) {
      to = all.filter((r) => r.seq < p.before!).length
      from = Math.max(0, to - size)
    } else if (p.after !== undefined) {
      from = all.filter((r) => r.seq <= p.after!).length
      to = Math.min(all.length, from + size)
    } else if (p.around !== undefined) {
      from = Math.max(0, all.filter((r) => r.seq < p.around!).length - (size >> 1))
      to = Math.min(all.length, from + size)
    }
    return { head: g.head, messages: copy(all.slice(from, to)), before: from > 0, after: to < all.length }
  }

  private sync(me: User, inside: Set<string>, p: { epoch?: string; heads: Record<string, number> }): SyncAnswer {
    const groups: Record<string, SyncedGroup> = {}
    for (const [id, head] of Object.entries(p.heads)) {
      const g = this.groups.get(id)
      if (g && (g.members.has(me.userId) || inside.has(id) || me.guest)) groups[id] = this.since(g, p, head)
    }
    return { epoch: this.epoch, groups }
  }

  private since(g: ServerGroup, p: { epoch?: string }, head: number): SyncedGroup {
    if (p.epoch !== this.epoch || head > g.head) {
      return { head: g.head, latest: g.head, messages: copy(g.sorted().slice(-this.pageSize)), members: [], more: false, reset: true }
    }
    const changed = [...g.rows.values()].filter((r) => r.rev > head).sort((a, b) => a.rev - b.rev)
    const part = changed.slice(0, this.syncSize)
    const more = part.length < changed.length
    return { head: more ? part.at(-1)!.rev : g.head, latest: g.head, messages: copy(part), members: [], more }
  }
}

const copy = (rows: readonly Row[]): Row[] => rows.map((r) => ({ ...r }))

/** A wire to a FakeServer that the test cuts and mends. */
export class FakeWire implements Wire {
  events!: WireEvents
  connected = false
  up = true
  inside = new Set<string>()
  private life = 0

  constructor(readonly server: FakeServer, public user: User) {}

  open(): void {
    if (this.connected || !this.up) return
    this.connected = true
    this.life++
    this.server.wires.add(this)
    this.events.connected()
  }

  close(): void {
    this.drop()
  }

  retry(): void {
    this.drop()
    this.open()
  }

  /** Cuts the connection until mend. */
  cut(): void {
    this.up = false
    this.drop()
  }

  mend(): void {
    this.up = true
    this.open()
  }

  deliver(event: string, payload: unknown, fate: Fate, delay: number): void {
    const life = this.life
    const arrive = () => life === this.life && this.connected && this.events.push(event, payload)
    if (fate === 'lost') return
    setTimeout(arrive, fate === 'late' ? delay + 100 : delay)
    if (fate === 'twice') setTimeout(arrive, delay + 50)
  }

  async request<T>(event: string, payload: object): Promise<T> {
    if (!this.connected) throw new Refusal('OFFLINE')
    const life = this.life
    const there = this.server.delay()
    const back = this.server.delay()
    await new Promise((r) => setTimeout(r, there))
    if (life !== this.life) throw new Refusal('OFFLINE')
    let answer: unknown
    try {
      answer = this.server.answer(this, event, payload)
    } finally {
      await new Promise((r) => setTimeout(r, back))
    }
    if (life !== this.life) throw new Refusal('OFFLINE')
    return answer as T
  }

  private drop(): void {
    if (!this.connected) return
    this.connected = false
    this.life++
    this.inside.clear()
    this.server.wires.delete(this)
    this.events.disconnected()
  }
}

export const person = (name: string, guest = false): User => ({ userId: 'user-' + name, nickName: name, guest, bot: false })

/** What a seed of the same number repeats. */
export function random(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

export const textsOf = (rows: readonly Message[]) => rows.map((r) => `${r.seq}:${r.message}`)
