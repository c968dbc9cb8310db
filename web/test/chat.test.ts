import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Account } from '../src/model/account'
import { Chat } from '../src/model/chat'
import { MemoryStore } from '../src/model/outbox-store'
import { Refusal, type User } from '../src/model/protocol'
import { FakeServer, FakeWire, person, random, textsOf, type Fate } from './server'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

const account = (user: User): Account => ({
  who: async () => ({ user, admin: false, registration: 'off', server: '', address: undefined }), enter: async () => user, register: async () => user, setUp: async () => user, leave: async () => undefined,
})

async function client(server: FakeServer, user: User, store = new MemoryStore()) {
  const wire = new FakeWire(server, user)
  const chat = new Chat({ wire, account: account(user), store, upload: async (file) => ({ fileId: 'id-' + file.key, name: file.name, size: file.size, type: file.type, url: '' }) })
  await chat.signIn({ nickName: user.nickName })
  await vi.advanceTimersByTimeAsync(200)
  return { chat, wire, store }
}

const settle = (ms = 5000) => vi.advanceTimersByTimeAsync(ms)

describe('staying in step', () => {
  test('a client that enters an empty room sees what is said there, in order', async () => {
    const server = new FakeServer()
    const a = await client(server, person('a', true))
    const room = await enter(a, 'lobby')
    const g = server.group('lobby')
    server.say(g, person('b'), 'one')
    server.say(g, person('b'), 'two')
    await settle()
    expect(textsOf(room.log.all())).toEqual(['1:one', '2:two'])
  })

  test('a lost push is noticed by the next one and made up for', async () => {
    const server = new FakeServer()
    const a = await client(server, person('a', true))
    const room = await enter(a, 'lobby')
    const g = server.group('lobby')
    server.fate = () => 'lost'
    server.say(g, person('b'), 'one')
    server.fate = () => 'delivered'
    server.say(g, person('b'), 'two')
    await settle(100)
    expect(textsOf(room.log.all())).toEqual([])
    await settle(400)
    expect(textsOf(room.log.all())).toEqual(['1:one', '2:two'])
  })

  test('a change that is told without its row is asked for until the row is here', async () => {
    const server = new FakeServer()
    const a = await client(server, person('a'))
    const room = await enter(a, 'lobby')
    const g = server.group('lobby')
    for (const text of ['one', 'two', 'three']) server.say(g, person('b'), text)
    await settle()
    server.delay = () => 10
    server.editUnseen(g, 2, 'edited')
    await settle(25) // told, asked for, and answered too late
    a.wire.cut()
    await settle()
    expect([room.log.head, textsOf(room.log.all())]).toEqual([4, ['1:one', '2:two', '3:three']])
    expect(room.newest()).toBeUndefined()
    a.wire.mend()
    await settle()
    expect(textsOf(room.log.all())).toEqual(['1:one', '2:edited', '3:three'])
    expect(room.newest()?.head).toBe(4)
  })

  test('a push that is only late costs no request', async () => {
    const server = new FakeServer()
    const a = await client(server, person('a', true))
    const room = await enter(a, 'lobby')
    const fates: Fate[] = ['late', 'delivered']
    server.fate = () => fates.shift() ?? 'delivered'
    server.say(server.group('lobby'), person('b'), 'one')
    server.say(server.group('lobby'), person('b'), 'two')
    await settle()
    expect(textsOf(room.log.all())).toEqual(['1:one', '2:two'])
    expect(server.asked).not.toContain('sync')
  })

  test('a lost last push is noticed by the digest', async () => {
    const server = new FakeServer()
    const a = await client(server, person('a', true))
    const room = await enter(a, 'lobby')
    server.fate = () => 'lost'
    server.say(server.group('lobby'), person('b'), 'last')
    server.heads(server.group('lobby'))
    await settle()
    expect(textsOf(room.log.all())).toEqual(['1:last'])
  })

  test('an edit made while a page is on its way is not undone by the page', async () => {
    const server = new FakeServer()
    server.pageSize = 3
    const g = server.group('lobby')
    for (let i = 1; i <= 9; i++) server.say(g, person('b'), 'text ' + i)
    const a = await client(server, person('a', true))
    const room = await enter(a, 'lobby')
    server.delay = () => 50
    const loading = room.loadBefore(7)
    await settle(60) // the server has answered, the answer is on its way
    server.delay = () => 1
    server.edit(g, 5, 'edited')
    await settle()
    await loading
    expect(room.log.row(5)?.message).toBe('edited')
  })

  test('a guest that never spoke is in its rooms again after an outage', async () => {
    const server = new FakeServer()
    const guest = await client(server, person('guest', true))
    const room = await enter(guest, 'lobby')
    server.say(server.group('lobby'), person('b'), 'before')
    await settle()
    guest.wire.cut()
    guest.wire.mend()
    await settle()
    server.say(server.group('lobby'), person('b'), 'after')
    await settle(100)
    expect(textsOf(room.log.all())).toEqual(['1:before', '2:after'])
  })

  test('a push that comes before the answer which introduces its room is not lost', async () => {
    const server = new FakeServer()
    const a = await client(server, person('a', true))
    server.delay = () => 50
    const entering = a.chat.enter({ roomName: 'lobby' })
    await settle(60) // entered, and the answer is on its way
    server.delay = () => 1
    server.say(server.group('lobby'), person('b'), 'meanwhile')
    await settle(100)
    expect(textsOf((await entering).log.all())).toEqual(['1:meanwhile'])
    expect(server.asked).not.toContain('sync')
  })

  test('another epoch forgets what was held', async () => {
    const server = new FakeServer()
    const b = person('b')
    const a = await client(server, person('a'))
    const room = await enter(a, 'lobby')
    a.chat.send(room, { text: 'mine' })
    await settle()
    a.wire.cut()
    const restored = server.group('lobby')
    restored.head = 0
    restored.rows.clear()
    server.epoch = 'e2'
    server.say(restored, b, 'after the restore')
    a.wire.mend()
    await settle()
    expect(textsOf(room.log.all())).toEqual(['1:after the restore'])
  })

  test.each(Array.from({ length: 60 }, (_, i) => i + 1))('whatever is lost, late, doubled or cut, everybody ends with the same rows (seed %i)', async (seed) => {
    const pick = random(seed)
    const server = new FakeServer()
    server.pageSize = 5 + pick(10)
    server.syncSize = 3 + pick(10)
    const fates: Fate[] = ['delivered', 'delivered', 'lost', 'twice', 'late']
    server.fate = () => fates[pick(fates.length)]!
    server.delay = () => pick(60)
    const g = server.group('lobby')
    const author = person('author')
    for (let i = 0; i < 30; i++) server.say(g, author, 'before ' + i)
    const clients = [await client(server, person('a')), await client(server, person('guest', true)), await client(server, person('c'))]
    const rooms = await Promise.all(clients.map((c) => enter(c, 'lobby')))
    for (let step = 0; step < 120; step++) {
      const who = pick(clients.length)
      const { chat, wire } = clients[who]!
      const room = rooms[who]!
      const act = pick(12)
      if (act < 4) server.say(g, author, 'step ' + step)
      else if (act < 6) server.edit(g, g.sorted()[pick(g.rows.size)]!.seq, 'edit ' + step)
      else if (act < 8) chat.send(room, { text: `${who} says ${step}` })
      else if (act === 8) wire.up ? wire.cut() : wire.mend()
      else if (act === 9) void room.loadBefore(room.log.all()[0]?.seq ?? 1)
      else if (act === 10) server.heads(g)
      await settle(pick(120))
    }
    for (const { wire } of clients) wire.mend()
    await settle(20_000)
    server.fate = () => 'delivered'
    server.heads(g)
    await settle(20_000)
    const truth = textsOf(g.sorted())
    for (const [i, room] of rooms.entries()) {
      for (let more = true; more && !room.log.ranges.covers(1, room.log.head); await settle(100)) {
        const loading = room.loadBefore(room.log.ranges.around(room.log.head)!.from)
        await settle(500)
        more = await loading
      }
      expect(textsOf(room.log.all()), `client ${i}`).toEqual(truth)
      expect(clients[i]!.chat.outbox.of(room.id), `outbox of client ${i}`).toEqual([])
    }
    const said = g.sorted().map((r) => r.message).filter((m) => m.includes(' says '))
    expect(new Set(said).size, 'nothing was said twice').toBe(said.length)
    // c holds what the others were told by pushes: the order of each sender's own messages is the order of writing
    for (let who = 0; who < 3; who++) {
      const steps = g.sorted().filter((r) => r.rev === r.seq && r.message.startsWith(`${who} says `)).map((r) => Number(r.message.split(' ')[2]))
      expect(steps).toEqual([...steps].sort((x, y) => x - y))
    }
  })
})

describe('unread', () => {
  test('counts others, never my own, and another tab that reads clears it', async () => {
    const server = new FakeServer()
    const me = person('me')
    const [one, two] = [await client(server, me), await client(server, me)]
    const [first, second] = [await enter(one, 'lobby'), await enter(two, 'lobby')]
    one.chat.send(first, { text: 'mine' })
    await settle()
    server.say(server.group('lobby'), person('b'), 'theirs')
    server.say(server.group('lobby'), person('b'), 'theirs too')
    await settle()
    expect([first.unread, second.unread]).toEqual([2, 2])
    first.read(3)
    await settle()
    expect([first.unread, second.unread]).toEqual([0, 0])
  })

  test('a message that came and was changed during a long outage counts as missed, though the last answer brings it', async () => {
    const server = new FakeServer()
    server.syncSize = 50
    const g = server.group('lobby')
    const a = await client(server, person('a'))
    const room = await enter(a, 'lobby')
    a.wire.cut()
    await settle()
    for (let i = 1; i <= 120; i++) server.say(g, person('b'), 'missed ' + i)
    server.edit(g, 2, 'missed, and edited')
    a.wire.mend()
    await settle(500)
    expect([a.chat.outage.state, a.chat.outage.missed, room.unread]).toEqual(['back', 120, 120])
  })

  test('stays exact over an outage', async () => {
    const server = new FakeServer()
    const a = await client(server, person('a'))
    const room = await enter(a, 'lobby')
    a.chat.send(room, { text: 'hello' })
    await settle()
    a.wire.cut()
    for (let i = 0; i < 130; i++) server.say(server.group('lobby'), person('b'), 'missed ' + i)
    await settle(3000)
    expect(a.chat.outage.state).toBe('lost')
    a.wire.mend()
    await settle(500)
    expect(room.unread).toBe(130)
    expect([a.chat.outage.state, a.chat.outage.missed]).toEqual(['back', 130])
  })
})

describe('the outbox', () => {
  test('sends what was written offline once, in order, also by a page that was loaded anew', async () => {
    const server = new FakeServer()
    const me = person('me', true)
    const before = await client(server, me)
    const room = await enter(before, 'lobby')
    before.wire.cut()
    for (const text of ['one', 'two', 'three']) before.chat.send(room, { text: text })
    await settle()
    expect(before.chat.outbox.of(room.id).map((u) => u.state)).toEqual(['pending', 'pending', 'pending'])

    const after = await client(server, me, before.store)
    await enter(after, 'lobby')
    before.wire.mend() // the old page comes back as well: the same ids, so nothing twice
    await settle(30_000)
    expect(server.group('lobby').sorted().map((r) => r.message)).toEqual(['one', 'two', 'three'])
    expect(await before.store.load(me.userId)).toEqual([])
  })

  test('tries a passing refusal again under the same id, and lets the next pass after a final one', async () => {
    const server = new FakeServer()
    const a = await client(server, person('a', true))
    const room = await enter(a, 'lobby')
    server.refusals = [
      { event: 'sendMessage', refusal: new Refusal('RATE_LIMITED', 'slow down', { retryAfter: 700 }) },
      { event: 'sendMessage', refusal: new Refusal('TOO_LARGE', 'too long') },
    ]
    const long = a.chat.outbox.add('user-a', room.id, { text: 'long' })
    a.chat.send(room, { text: 'short' })
    await settle()
    expect(server.group('lobby').sorted().map((r) => r.message)).toEqual(['short'])
    expect(a.chat.outbox.of(room.id).map((u) => [u.text, u.state, u.failure?.code])).toEqual([['long', 'failed', 'TOO_LARGE']])
    a.chat.outbox.retry(long.clientId)
    await settle()
    expect(server.group('lobby').sorted().map((r) => [r.message, r.clientId === long.clientId])).toEqual([['short', false], ['long', true]])
  })

  test('follows its writer when the server lost its data and the room has another id', async () => {
    const server = new FakeServer()
    const a = await client(server, person('a', true))
    const old = await enter(a, 'lobby')
    a.wire.cut()
    a.chat.send(old, { text: 'written meanwhile' })
    server.groups.clear()
    server.epoch = 'e2'
    server.group('another')
    server.groups.set('group-new', Object.assign(server.group('lobby'), { id: 'group-new' }))
    server.groups.delete('group-lobby')
    a.wire.mend()
    await settle()
    expect(textsOf(a.chat.named('lobby')!.log.all())).toEqual(['1:written meanwhile'])
    expect(a.chat.list().map((r) => r.id)).toEqual(['group-new'])
  })

  test('enters again when the server says that we are not in the room', async () => {
    const server = new FakeServer()
    const a = await client(server, person('a', true))
    const room = await enter(a, 'lobby')
    a.wire.inside.clear()
    a.chat.send(room, { text: 'still here' })
    await settle()
    expect(textsOf(room.log.all())).toEqual(['1:still here'])
  })
})

async function enter(c: { chat: Chat }, name: string) {
  const entering = c.chat.enter({ roomName: name })
  await settle(500)
  return entering
}
