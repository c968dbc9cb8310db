import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Account } from '../src/model/account'
import { Chat } from '../src/model/chat'
import { MemoryStore } from '../src/model/outbox-store'
import type { User } from '../src/model/protocol'
import { shelve, unshelve } from '../src/model/shelf'
import { FakeServer, FakeWire, person, textsOf } from './server'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

const settle = (ms = 1000) => vi.advanceTimersByTimeAsync(ms)

/** Somebody in the lobby, who opens it with the next page before there is a connection. */
async function twice(me: User, meanwhile: (server: FakeServer) => void, before = 3) {
  const server = new FakeServer()
  const visit = async (up: boolean) => {
    const wire = Object.assign(new FakeWire(server, me), { up })
    const account: Account = {
      who: async () => ({ user: me, admin: false, registration: 'off', server: '', address: undefined }), enter: async () => me, register: async () => me, setUp: async () => me, leave: async () => undefined,
    }
    const chat = new Chat({ wire, account, store: new MemoryStore(), upload: async () => { throw new Error('none') } })
    await (up ? chat.signIn({ nickName: me.nickName }) : chat.start())
    await settle()
    return { chat, wire }
  }
  const g = server.group('lobby')
  for (let i = 1; i <= before; i++) server.say(g, person('b'), 'text ' + i)
  const first = await visit(true)
  const entering = first.chat.enter({ roomName: 'lobby' })
  await settle()
  const was = await entering
  was.open()
  was.read(g.head)
  await settle()
  was.close()
  first.wire.cut()
  meanwhile(server)
  const second = await visit(false)
  const room = second.chat.named('lobby')!
  room.open()
  const news: string[] = []
  second.chat.onArrived((_, row) => news.push(row.message))
  return { ...second, room, server, g, news, first }
}

test.each([false, true])('what was open stands there before the server is heard, and what happened meanwhile comes with hello (guest: %s)', async (guest) => {
  const { room, wire, server, news } = await twice(person('again', guest), (server) => {
    const g = server.group('lobby')
    server.say(g, person('b'), 'meanwhile')
    server.edit(g, 2, 'edited')
  })
  expect(textsOf(room.log.all())).toEqual(['1:text 1', '2:text 2', '3:text 3'])
  expect([room.known, room.newLine, room.unread]).toEqual([false, undefined, 0])
  wire.mend()
  await settle()
  expect(textsOf(room.log.all())).toEqual(['1:text 1', '2:edited', '3:text 3', '4:meanwhile'])
  expect(server.asked).not.toContain('history')
  expect([room.known, news]).toEqual([true, []])
  if (!guest) expect([room.unread, room.newLine]).toEqual([1, 3])
  server.say(server.group('lobby'), person('b'), 'now')
  await settle()
  expect(news).toEqual(['now'])
})

test('what was said between two visits is no news, though it takes several answers', async () => {
  const { room, wire, news } = await twice(person('late'), (server) => {
    server.syncSize = 50
    for (let i = 1; i <= 120; i++) server.say(server.group('lobby'), person('b'), 'meanwhile ' + i)
  })
  wire.mend()
  await settle()
  expect([room.log.all().length, room.unread, room.newLine, news]).toEqual([123, 120, 3, []])
})

test('on a server that lost its data nothing of what was kept stays, and what is said then is news', async () => {
  const { room, wire, server, g, news } = await twice(person('lost'), (server) => {
    const g = server.group('lobby')
    server.epoch = 'e2'
    g.head = 0
    g.rows.clear()
    server.say(g, person('b'), 'anew')
  })
  wire.mend()
  await settle()
  expect(textsOf(room.log.all())).toEqual(['1:anew'])
  server.say(g, person('b'), 'now')
  await settle()
  expect(news).toEqual(['now'])
})

test('who signs out leaves nothing behind', async () => {
  const me = person('gone')
  const { chat, room } = await twice(me, () => undefined)
  expect(unshelve(me.userId, room.id)?.messages).toHaveLength(3)
  await chat.signOut()
  expect(unshelve(me.userId, room.id)).toBeUndefined()
})

test('who is out of a group keeps nothing of it', async () => {
  const [put, off] = [person('put'), person('off')]
  const { room } = await twice(put, () => undefined)
  room.leave('kicked')
  expect(unshelve(put.userId, room.id)).toBeUndefined()
  const other = await twice(off, () => undefined)
  expect(unshelve(off.userId, other.room.id)?.messages).toHaveLength(3)
  other.chat.drop(other.room)
  expect(unshelve(off.userId, other.room.id)).toBeUndefined()
  room.close()
  expect(unshelve(put.userId, room.id)).toBeUndefined()
})

test('erased messages go when the group says so', async () => {
  const { room, wire, server, g } = await twice(person('erased'), () => undefined)
  wire.mend()
  await settle()
  const head = ++g.head
  server.push(g, 'change', { groupId: g.id, head, kind: 'group', group: { ...room.group, floor: 3, rev: head } })
  await settle()
  expect(textsOf(room.log.all())).toEqual(['3:text 3'])
})

test('few groups are kept, and of each no more than fits', () => {
  const row = (seq: number, length: number) => ({ seq, rev: seq, message: 'x'.repeat(length) }) as never
  for (let i = 1; i <= 7; i++) shelve('me', 'g' + i, { epoch: 'e', head: 3, before: false, messages: [row(1, 60_000), row(2, 60_000), row(3, 30_000)] })
  expect([1, 2, 3, 7].map((i) => unshelve('me', 'g' + i)?.messages.map((m) => m.seq))).toEqual([undefined, undefined, [2, 3], [2, 3]])
  expect(unshelve('me', 'g7')?.before).toBe(true)
  shelve('me', 'g7', undefined)
  expect(unshelve('me', 'g7')).toBeUndefined()
})
