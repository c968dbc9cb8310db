import { newId } from './ids'
import type { OutboxStore } from './outbox-store'
import { Refusal, type Code, type GroupId, type UserId } from './protocol'
import type { Outgoing } from './upload'
import { Watched } from './watched'

/** What I want to say. */
export interface Words {
  text: string
  replyTo?: number | undefined
  /** User ids, or "all". */
  mentions?: string[] | undefined
  files?: Outgoing[] | undefined
}

/** A message of mine that the server has not acknowledged, or that it refused. */
export interface Unsent extends Words {
  clientId: string
  userId: UserId
  groupId: GroupId
  /** When it was written, in milliseconds; strictly increasing, so also its place in the queue. */
  at: number
  /** sent: acknowledged, and not yet seen in the group's order. */
  state: 'pending' | 'failed' | 'sent'
  failure?: { code: Code; message: string; until?: string | undefined }
  /** How much of its files is with the server, from 0 to 1; not kept. */
  progress?: number | undefined
}

/** Sends one message; resolves when it is acknowledged, rejects with a Refusal. */
export type Deliver = (unsent: Unsent) => Promise<void>

/**
 * Outbox keeps what I wrote until the server has it: one message at a time per group, in order, under the same clientId
 * however often it must be tried. It is stored, so a reload loses nothing; a final refusal lets the next one pass.
 */
export class Outbox extends Watched {
  private list: Unsent[] = []
  private readonly busy = new Set<GroupId>()
  private lastAt = 0
  private generation = 0

  constructor(
    private readonly store: OutboxStore,
    private readonly deliver: Deliver,
    private readonly ready: () => boolean,
  ) {
    super()
  }

  /** Takes up what this user left unsent. */
  async load(user: UserId): Promise<void> {
    const generation = ++this.generation
    this.list = []
    const kept = await this.store.load(user)
    if (generation !== this.generation) return
    const known = new Set(this.list.map((u) => u.clientId))
    this.list = [...kept.filter((u) => !known.has(u.clientId)), ...this.list].sort((a, b) => a.at - b.at)
    this.changed()
    this.wake()
  }

  /** Gives all that one id of a person left unsent to the person's new id. */
  async hand(from: UserId, to: UserId): Promise<void> {
    for (const unsent of await this.store.load(from)) await this.store.put({ ...unsent, userId: to })
  }

  /** Turns all that is unsent in one group to another. */
  move(from: GroupId, to: GroupId): void {
    for (const unsent of this.of(from)) {
      unsent.groupId = to
      if (unsent.state !== 'sent') void this.store.put(unsent)
    }
    this.changed()
    void this.pump(to)
  }

  /** What is unsent in a group, in the order it was written. */
  of(group: GroupId): Unsent[] {
    return this.list.filter((u) => u.groupId === group)
  }

  add(userId: UserId, groupId: GroupId, words: Words): Unsent {
    this.lastAt = Math.max(Date.now(), this.lastAt + 1)
    const unsent: Unsent = { ...words, clientId: newId(), userId, groupId, at: this.lastAt, state: 'pending' }
    this.list.push(unsent)
    void this.store.put(unsent)
    this.changed()
    void this.pump(groupId)
    return unsent
  }

  /** An upload moved on, or ended. */
  progress(unsent: Unsent, part: number | undefined): void {
    unsent.progress = part
    this.changed()
  }

  /** A file of it is with the server: a reload does not send it again. */
  uploaded(unsent: Unsent): void {
    if (this.list.includes(unsent)) void this.store.put(unsent)
  }

  retry(clientId: string): void {
    const unsent = this.list.find((u) => u.clientId === clientId)
    if (unsent?.state !== 'failed') return
    unsent.state = 'pending'
    delete unsent.failure
    void this.store.put(unsent)
    this.changed()
    void this.pump(unsent.groupId)
  }

  /** Forgets a message: it was seen in the group's order, or its writer deleted it. */
  remove(clientId: string): void {
    if (!this.list.some((u) => u.clientId === clientId)) return
    this.list = this.list.filter((u) => u.clientId !== clientId)
    void this.store.delete(clientId)
    this.changed()
  }

  /** Goes on sending, in every group: the server has greeted us. */
  wake(): void {
    for (const group of new Set(this.list.map((u) => u.groupId))) void this.pump(group)
  }

  private async pump(group: GroupId): Promise<void> {
    if (this.busy.has(group)) return
    this.busy.add(group)
    let tries = 0
    try {
      for (let next = this.next(group); next && this.ready(); next = this.next(group)) {
        const refusal = await this.attempt(next)
        if (!refusal) tries = 0
        else if (!refusal.passing) this.fail(next, refusal)
        else if (refusal.code !== 'OFFLINE' || this.ready()) await sleep(refusal.retryAfter ?? Math.min(15_000, 500 * 2 ** tries++))
        else break // wake is called when there is a connection again
      }
    } finally {
      this.busy.delete(group)
    }
  }

  private next(group: GroupId): Unsent | undefined {
    return this.list.find((u) => u.groupId === group && u.state === 'pending')
  }

  private async attempt(unsent: Unsent): Promise<Refusal | undefined> {
    try {
      await this.deliver(unsent)
    } catch (err) {
      return err instanceof Refusal ? err : new Refusal('INTERNAL', String(err))
    }
    unsent.state = 'sent'
    void this.store.delete(unsent.clientId)
    this.changed()
    return undefined
  }

  private fail(unsent: Unsent, refusal: Refusal): void {
    unsent.state = 'failed'
    unsent.failure = { code: refusal.code, message: refusal.message, until: refusal.until }
    if (this.list.includes(unsent)) void this.store.put(unsent)
    this.changed()
  }
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
