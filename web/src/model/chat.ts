import type { Account, Entrance, NewAccount, Registration } from './account'
import { Drafts, handDrafts } from './drafts'
import { forget, recall, remember } from './memory'
import { Outage } from './outage'
import { Outbox, type Unsent, type Words } from './outbox'
import type { OutboxStore } from './outbox-store'
import { Presences } from './presence'
import {
  Refusal,
  type Change, type Group, type GroupId, type HeadsPush, type HelloAnswer, type JoinAnswer, type Limits, type Message,
  type MePush, type PresencePush, type ReadPush, type Row, type Settings, type SyncAnswer, type TypingPush, type User, type UserId,
} from './protocol'
import { Room } from './room'
import { clearShelf, shelve, unshelve } from './shelf'
import type { Upload } from './upload'
import { Watched } from './watched'
import type { Link, Wire } from './wire'

/** Where to enter: by a room's name, by a group's id, or by an invitation. */
export type Address = { roomName: string } | { groupId: GroupId } | { token: string }

export interface ChatOptions {
  wire: Wire
  account: Account
  store: OutboxStore
  upload: Upload
  /** Whether somebody looks at the page. */
  attentive?: () => boolean
  /** Whether the page can be seen, looked at or not. */
  visible?: () => boolean
  locale?: () => string
}

const silence = 5000 // ms without an answer, after which the connection counts as dead
const mostKept = 50 // rooms that are shown before the server answered

/** Chat is the whole of what the app knows: who I am, my rooms, what is unsent, and whether we are connected. */
export class Chat extends Watched implements Link {
  me: User | undefined
  /** False until it is known whether this browser is somebody. */
  settled = false
  /** I may administer the server. */
  admin = false
  /** Whether the server said so, or could not be asked. */
  asked = false
  /** Who may make an account here; known as soon as the server was asked. */
  registration: Registration = 'off'
  /** What the server is called; empty if it has no name but its address. */
  server = ''
  /** Where other devices find this server, as far as it says. */
  address: string | undefined
  /** The server greeted us on this connection. */
  ready = false
  epoch = ''
  settings: Settings = {}
  /** Whom I block. */
  blocked: ReadonlySet<UserId> = new Set()
  limits: Limits = { messageLength: 8000, upload: 20 << 20 }
  readonly rooms = new Map<GroupId, Room>()
  readonly outage = new Outage()
  readonly outbox: Outbox
  readonly drafts: Drafts
  readonly presences: Presences

  private readonly listeners = new Set<(room: Room, row: Row) => void>()

  private readonly wire: Wire
  private readonly account: Account
  private readonly upload: Upload
  private readonly attentive: () => boolean
  private readonly visible: () => boolean
  private readonly locale: () => string
  private meHead = 0
  private greeting = 0
  private entering = 0
  private mistakes = 0
  private probed = 0
  /** Pushes of rooms that are not known yet: they may come before the answer that introduces the room. */
  private early: { groupId: GroupId; take: (room: Room) => void }[] = []

  constructor(options: ChatOptions) {
    super()
    this.wire = options.wire
    this.account = options.account
    this.upload = options.upload
    this.attentive = options.attentive ?? (() => true)
    this.visible = options.visible ?? (() => true)
    this.locale = options.locale ?? (() => 'en')
    this.presences = new Presences(this, () => this.me?.userId, this.attentive)
    this.outbox = new Outbox(options.store, (unsent) => this.deliver(unsent), () => this.ready)
    this.outbox.watch(() => this.changed())
    this.drafts = new Drafts((groupId, draft) => this.keepDraft(groupId, draft))
    this.wire.events = {
      connected: () => void this.greet(),
      disconnected: () => this.lost(),
      refused: () => void this.reconsider(),
      push: (event, payload) => this.hear(event, payload),
    }
  }

  // Who I am.

  /** Finds out who this browser is. Who it was last time is believed at once, so that the app opens without a network. */
  async start(): Promise<void> {
    const known = recall<User>('me')
    if (known) {
      this.become(known)
      void this.ask()
    } else await this.ask()
    this.settled = true
    this.changed()
    if (this.me) this.connect()
  }

  /** Becomes somebody: a guest of a name, unless this browser is somebody already; or who a password or a code says. */
  signIn(by: Entrance): Promise<void> {
    return this.turn(() => this.account.enter(by))
  }

  /** Makes an account; a guest stays the same person. */
  register(account: NewAccount): Promise<void> {
    return this.turn(() => this.account.register(account))
  }

  setUp(account: NewAccount & { code: string }): Promise<void> {
    return this.turn(() => this.account.setUp(account))
  }

  private async turn(become: () => Promise<User>): Promise<void> {
    this.become(await become())
    this.wire.close()
    this.connect()
    await this.ask()
  }

  /** Takes what the server says of me after I changed it. */
  meet(user: User): void {
    if (user.userId === this.me?.userId) this.become(user)
  }

  async signOut(): Promise<void> {
    const me = this.me
    this.wire.close()
    forget('me') // before the server ends the other tabs' connections, so that they know why
    try {
      await this.account.leave()
    } catch (err) {
      if (me) this.become(me)
      this.connect()
      throw err
    }
    this.nobody()
  }

  /** My account is gone, in this tab and, by what it remembers, in all others. */
  end(): void {
    forget('me')
    this.leave()
  }

  private leave(): void {
    this.wire.close()
    this.nobody()
  }

  private async ask(): Promise<void> {
    try {
      const { user, admin, registration, server, address } = await this.account.who()
      this.admin = admin
      this.address = address
      this.registration = registration
      this.server = server
      if (user && (!this.me || user.userId === this.me.userId)) this.become(user)
      this.changed()
    } catch (err) {
      if (!(err instanceof Refusal)) throw err // the first screen asks again, by trying
    } finally {
      if (!this.asked) {
        this.asked = true
        this.changed()
      }
    }
  }

  private become(user: User): void {
    const other = this.me?.userId !== user.userId
    this.me = user
    remember('me', user)
    if (other) {
      this.epoch = ''
      this.meHead = 0
      this.rooms.clear()
      this.drafts.of(user.userId)
      for (const group of recall<Group[]>('rooms.' + user.userId) ?? []) this.room(group)
      void this.outbox.load(user.userId)
    }
    this.changed()
  }

  private nobody(): void {
    if (this.me) {
      forget('rooms.' + this.me.userId)
      clearShelf(this.me.userId)
    }
    forget('me')
    this.me = undefined
    this.admin = false
    this.ready = false
    this.epoch = ''
    this.outage.end()
    this.rooms.clear()
    this.drafts.of(undefined)
    this.changed()
  }

  /** The server refused our credential: we may have been signed out elsewhere. */
  private async reconsider(): Promise<void> {
    this.nobody()
    if (++this.mistakes > 2) return
    await this.ask()
    if (this.me) this.connect()
  }

  // The connection.

  /** Resolves when the server has greeted us; rejects when it does not within ms. */
  greeted(ms = 10_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = () => {
        if (!this.ready) return
        clearTimeout(timer)
        stop()
        resolve()
      }
      const stop = this.watch(done)
      const timer = setTimeout(() => {
        stop()
        reject(new Refusal('OFFLINE'))
      }, ms)
      done()
    })
  }

  private connect(): void {
    this.outage.begin()
    this.wire.open()
  }

  /** Connects at once instead of waiting for the next attempt. */
  retry(): void {
    this.wire.retry()
  }

  /** Tells the server whether the page can be seen: my devices are not called while it can. Out of sight it may end any time. */
  look(): void {
    if (!this.visible()) for (const room of this.rooms.values()) if (room.isOpen) this.keep(room)
    if (this.ready) this.request('visible', { on: this.visible() }).catch(() => undefined) // told again with the next connection
  }

  /** Keeps a setting of mine, for all my devices. */
  async set(change: Settings): Promise<void> {
    const settings = { ...this.settings, ...change }
    await this.request('updateMe', { settings })
    this.settings = settings
    this.changed()
  }

  /** Something suggests that the network changed: come back at once, or see whether the connection still lives. */
  nudge(): void {
    if (!this.me) return
    if (!this.wire.connected) this.wire.retry()
    else if (this.ready && Date.now() - this.probed > silence) void this.probe()
  }

  private async probe(): Promise<void> {
    this.probed = Date.now()
    try {
      await this.request('sync', { epoch: this.epoch, heads: {} }, silence)
    } catch (err) {
      if (err instanceof Refusal && err.code === 'NO_ANSWER') this.wire.retry()
    }
  }

  request<T>(event: string, payload: object, timeout?: number): Promise<T> {
    return this.wire.request<T>(event, payload, timeout)
  }

  private lost(): void {
    this.ready = false
    this.greeting++
    for (const room of this.rooms.values()) room.cut()
    if (this.me) this.outage.begin()
    this.changed()
  }

  /** Says hello, takes what was missed, and enters again where hello alone does not lead. */
  private async greet(): Promise<void> {
    const mine = ++this.greeting
    const held = [...this.rooms.values()]
    for (const room of held) room.hold()
    try {
      const answer = await this.wire.request<HelloAnswer>('hello', {
        protocol: 1,
        locale: this.locale(),
        ...(this.epoch && { epoch: this.epoch, heads: this.heads(), ...(this.meHead && { me: this.meHead }) }),
      })
      if (mine !== this.greeting) return
      await this.resume(answer, mine)
    } catch (err) {
      if (mine === this.greeting) this.ungreeted(err)
    } finally {
      for (const room of held) room.release()
    }
  }

  private async resume(answer: HelloAnswer, greeting: number): Promise<void> {
    if (answer.me?.userId !== this.me?.userId) return this.mistaken()
    const unfinished = answer.sync ? this.take(answer.sync) : []
    const anew = answer.epoch !== this.epoch
    this.epoch = answer.epoch
    Object.assign(this.limits, answer.limits)
    this.settings = answer.settings ?? {}
    this.blocked = new Set(answer.blocked)
    this.ready = true
    this.mistakes = 0
    this.meHead = Math.max(this.meHead, answer.head ?? 0)
    if (answer.me) this.become(answer.me)
    this.look()
    this.presences.renew()
    for (const { lastMessage, draft, ...group } of answer.groups) {
      this.introduce(group, (room) => room.overview(group, lastMessage))
      this.drafts.hear(group.groupId, draft ?? '')
    }
    const mine = new Set(answer.groups.map((g) => g.groupId))
    const others = [...this.rooms.values()].filter((room) => !mine.has(room.id) && !room.gone)
    await Promise.all([...unfinished.map((room) => room.follow()), ...others.map((room) => this.reenter(room, anew))])
    if (greeting !== this.greeting) return
    if (this.entering === 0) this.early = []
    this.save()
    this.outage.end()
    this.outbox.wake()
    this.drafts.wake()
    this.changed()
  }

  /** The server takes us for somebody else than we thought: the cookie died, or another tab signed in. */
  private async mistaken(): Promise<void> {
    const before = this.me
    const signedOut = recall('me') === undefined // in another tab
    if (!before?.guest || signedOut || ++this.mistakes > 2) return this.leave() // where no cookie is kept, asking again would never end
    let actual = (await this.account.who()).user
    if (!actual) {
      actual = await this.account.enter({ nickName: before.nickName })
      await this.inherit(before.userId, actual.userId)
    }
    this.become(actual)
    this.wire.retry()
  }

  /** The same person under a new id: what was typed, and where, goes along. */
  private async inherit(from: UserId, to: UserId): Promise<void> {
    remember('rooms.' + to, recall('rooms.' + from) ?? [])
    forget('rooms.' + from)
    clearShelf(from)
    handDrafts(from, to)
    await this.outbox.hand(from, to)
  }

  private ungreeted(err: unknown): void {
    if (err instanceof Refusal && err.code === 'UNAUTHORIZED') void this.reconsider()
    else if (this.wire.connected) setTimeout(() => this.wire.connected && !this.ready && this.wire.retry(), 1000)
    if (!(err instanceof Refusal)) throw err
  }

  /** A guest that has not spoken belongs nowhere: hello does not name its rooms, and it enters them again. */
  private async reenter(room: Room, anew: boolean): Promise<void> {
    if (!this.me?.guest) return this.drop(room)
    if (anew) room.reset()
    try {
      await this.enter(room.group.room ? { roomName: room.group.room } : { groupId: room.id })
      if (room.log.behind) await room.follow()
    } catch (err) {
      if (!(err instanceof Refusal)) throw err
      if (!err.passing) room.leave('left')
    }
  }

  private heads(): Record<GroupId, number> {
    const heads: Record<GroupId, number> = {}
    for (const room of this.rooms.values()) if (room.log.started) heads[room.id] = room.log.head
    return heads
  }

  /** Takes a sync answer. Gives the rooms that have more to ask for. */
  private take(answer: SyncAnswer): Room[] {
    return Object.entries(answer.groups).flatMap(([id, synced]) => {
      const room = this.rooms.get(id)
      return room?.synced(synced) ? [room] : []
    })
  }

  // Rooms.

  /** Enters a room, and knows it from then on. */
  async enter(at: Address): Promise<Room> {
    const known = 'groupId' in at ? this.rooms.get(at.groupId) : 'roomName' in at ? this.named(at.roomName) : undefined
    known?.hold()
    this.entering++
    try {
      const event = 'token' in at ? 'joinByInvite' : 'joinRoom'
      const answer = await this.request<JoinAnswer | { pending: true }>(event, { ...at, nickName: this.me?.nickName })
      if ('pending' in answer) throw new Refusal('PENDING')
      const room = this.introduce(answer.group, (r) => r.join(answer))
      if (known && known !== room) this.replace(known, room)
      this.save()
      this.changed()
      return room
    } finally {
      known?.release()
      if (--this.entering === 0 && this.ready) this.early = []
    }
  }

  /** The name leads to another group than it did, on a server that lost its data. What is unsent goes there. */
  private replace(old: Room, room: Room): void {
    this.rooms.delete(old.id)
    this.outbox.move(old.id, room.id)
    this.drafts.move(old.id, room.id)
  }

  /** The room of that address, if this client knows it. */
  named(address: string): Room | undefined {
    const wanted = fold(address)
    return [...this.rooms.values()].find((r) => r.id === address || (r.group.room && fold(r.group.room) === wanted))
  }

  /** All rooms, newest talk first. */
  list(): Room[] {
    const at = (r: Room) => Math.max(Date.parse(r.last?.sentAt ?? r.group.createdAt ?? '') || 0, this.outbox.of(r.id).at(-1)?.at ?? 0)
    return [...this.rooms.values()].sort((a, b) => pin(b) - pin(a) || at(b) - at(a))
  }

  /** Takes a room off the list of this browser. */
  drop(room: Room): void {
    this.rooms.delete(room.id)
    this.unkeep(room)
    this.save()
    this.changed()
  }

  private room(group: Group): Room {
    let room = this.rooms.get(group.groupId)
    if (room) return room
    room = new Room(group, this, () => this.me?.userId, {
      arrived: (r, row) => this.arrived(r, row),
      mine: (clientId) => this.outbox.remove(clientId),
      opened: (r) => this.restore(r),
      closed: (r) => this.keep(r),
      left: (r) => this.unkeep(r),
    }, this.attentive)
    room.watch(() => this.changed())
    this.rooms.set(group.groupId, room)
    return room
  }

  /** Takes what an answer says about a room, and after it what was pushed before the answer came. */
  private introduce(group: Group, take: (room: Room) => void): Room {
    const room = this.room(group)
    take(room)
    const [now, rest] = split(this.early, (e) => e.groupId === room.id)
    this.early = rest
    for (const e of now) e.take(room)
    return room
  }

  /** Brings back what was kept of a room while there is no connection; the next hello takes it from there. */
  private restore(room: Room): void {
    if (!this.me || this.wire.connected || room.log.started) return
    const kept = unshelve(this.me.userId, room.id)
    if (!kept || (this.epoch && kept.epoch !== this.epoch)) return
    this.epoch = kept.epoch
    room.restore(kept)
  }

  private keep(room: Room): void {
    if (!this.me || !this.epoch) return
    const newest = room.newest()
    shelve(this.me.userId, room.id, newest && { epoch: this.epoch, ...newest })
  }

  private unkeep(room: Room): void {
    if (this.me) shelve(this.me.userId, room.id, undefined)
  }

  private save(): void {
    if (!this.me) return
    remember('rooms.' + this.me.userId, this.list().slice(0, mostKept).map((r) => r.group))
  }

  // What I say.

  send(room: Room, words: Words): void {
    if (this.me) this.outbox.add(this.me.userId, room.id, words)
  }

  /** Only who is a member has a place for a draft on the server. */
  private async keepDraft(groupId: GroupId, draft: string): Promise<void> {
    if (!this.ready || !this.rooms.get(groupId)?.group.me?.role) throw new Refusal('OFFLINE')
    await this.request('updateMembership', { groupId, draft })
  }

  /** Tells the room that I am writing, now and then. */
  type(room: Room): void {
    if (this.ready && room.typists.due()) this.request('typing', { groupId: room.id }).catch(() => undefined) // a hint, no more
  }

  private async deliver(unsent: Unsent): Promise<void> {
    const room = this.rooms.get(unsent.groupId)
    const files = await this.bring(unsent)
    const say = () => this.request<{ message: Row }>('sendMessage', {
      groupId: unsent.groupId, message: unsent.text, clientId: unsent.clientId,
      ...(unsent.replyTo && { replyTo: unsent.replyTo }), ...(unsent.mentions?.length && { mentions: unsent.mentions }),
      ...(files.length > 0 && { files }),
    }, silence)
    let answer: { message: Row }
    try {
      answer = await say()
    } catch (err) {
      if (!(err instanceof Refusal)) throw err
      if (err.code === 'NO_ANSWER') this.wire.retry()
      if (err.code !== 'NOT_IN_ROOM' || !room) throw err
      await this.enter({ groupId: unsent.groupId })
      answer = await say()
    }
    room?.pushMessage(answer.message)
    const { seq } = answer.message
    const hidden = !room || (seq <= room.log.head && !room.log.row(seq)) // an old one, outside what is held
    if (hidden) this.outbox.remove(unsent.clientId)
  }

  /** Tells of every message that arrives, until the returned function is called: for who reads aloud or rings. */
  onArrived(hear: (room: Room, row: Row) => void): () => void {
    this.listeners.add(hear)
    return () => this.listeners.delete(hear)
  }

  /** Uploads what is not with the server yet, one file after the other, and gives their ids. */
  private async bring(unsent: Unsent): Promise<string[]> {
    const files = unsent.files ?? []
    const all = files.reduce((sum, f) => sum + f.size, 0)
    let there = 0
    try {
      for (const file of files) {
        if (!file.fileId) {
          const before = there
          file.fileId = (await this.upload(file, (part) => this.outbox.progress(unsent, (before + part * file.size) / Math.max(1, all)))).fileId
          this.outbox.uploaded(unsent)
        }
        there += file.size
      }
    } finally {
      this.outbox.progress(unsent, undefined)
    }
    return files.flatMap((f) => f.fileId ?? [])
  }

  // What the server says by itself.

  private hear(event: string, payload: unknown): void {
    switch (event) {
      case 'message': return this.hearIn((payload as Message).groupId, (room) => room.pushMessage(payload as Message))
      case 'change': return this.hearIn((payload as Change).groupId, (room) => room.pushChange(payload as Change))
      case 'heads': return this.hearHeads(payload as HeadsPush)
      case 'me': return this.hearMe(payload as MePush)
      case 'presence': return this.presences.hear(payload as PresencePush)
      case 'read': return this.rooms.get((payload as ReadPush).groupId)?.hearReads((payload as ReadPush).seqs)
      case 'typing': return this.hearTyping(payload as TypingPush)
    }
  }

  private hearIn(groupId: GroupId, take: (room: Room) => void): void {
    const room = this.rooms.get(groupId)
    if (room) take(room)
    else if ((this.entering > 0 || !this.ready) && this.early.length < 1000) this.early.push({ groupId, take })
  }

  private hearHeads({ epoch, heads }: HeadsPush): void {
    if (!this.ready) return
    if (epoch !== this.epoch) return this.wire.retry() // the numbers begin anew: so do we
    for (const [id, head] of Object.entries(heads)) this.rooms.get(id)?.hear(head)
  }

  private hearMe(push: MePush): void {
    this.meHead = Math.max(this.meHead, push.head ?? 0)
    if (push.user) this.become(push.user)
    if (push.settings) this.settings = push.settings
    if (push.group) this.hearGroup(push.group)
    if (push.left) this.rooms.get(push.left.groupId)?.leave(push.left.reason)
    if (push.block) this.hearBlock(push.block)
    this.changed()
  }

  private hearGroup(mine: NonNullable<MePush['group']>): void {
    const room = this.rooms.get(mine.groupId)
    if (room) this.drafts.hear(room.id, mine.draft ?? '')
    if (room && mine.me) room.cursor(mine.me)
    else if (!room && this.ready) void this.enter({ groupId: mine.groupId }).catch(() => undefined) // made mine elsewhere
  }

  private hearBlock({ userId, on }: NonNullable<MePush['block']>): void {
    const others = [...this.blocked].filter((id) => id !== userId)
    this.blocked = new Set(on ? [...others, userId] : others)
  }

  private hearTyping({ groupId, userId, nickName }: TypingPush): void {
    if (userId !== this.me?.userId) this.rooms.get(groupId)?.typists.hear(userId, nickName)
  }

  private arrived(room: Room, row: Row): void {
    if (row.userId !== this.me?.userId && (row.kind === 'text' || row.kind === 'file')) this.outage.count()
    for (const hear of this.listeners) hear(room, row)
  }
}

function split<T>(list: T[], first: (item: T) => boolean): [T[], T[]] {
  return [list.filter(first), list.filter((item) => !first(item))]
}

const pin = (r: Room) => (r.group.me?.pinned ? 1 : 0)

/** Two addresses that the server takes for one, as near as a client can tell, are the same then. */
export const fold = (name: string) => name.normalize('NFKC').trim().toLowerCase()
