import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Log } from '../src/model/log'
import type { Row } from '../src/model/protocol'
import { Room } from '../src/model/room'
import { Window } from '../src/model/window'
import { FakeServer, FakeWire, person, random, textsOf } from './server'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

/** A room with n messages on the server, of which the newest page is here. */
async function roomOf(n: number) {
  const server = new FakeServer()
  const g = server.group('lobby')
  for (let i = 1; i <= n; i++) server.say(g, person('b'), 'text ' + i)
  const wire = new FakeWire(server, person('a'))
  wire.events = { connected() {}, disconnected() {}, refused() {}, push: (event, payload: any) => event === 'message' ? room.pushMessage(payload) : event === 'change' && room.pushChange(payload) }
  const link = { ready: true, epoch: server.epoch, request: <T>(event: string, payload: object) => wire.request<T>(event, payload) }
  const room = new Room(server.describe(g, wire.user), link, () => 'user-a')
  wire.open()
  const joining = link.request<any>('joinRoom', { groupId: g.id })
  await vi.advanceTimersByTimeAsync(100)
  room.join(await joining)
  return { server, g, room, shown: new Window(room) }
}

const done = async <T>(act: Promise<T>) => {
  await vi.advanceTimersByTimeAsync(1000)
  return act
}
/** Much arrives, in bursts. */
async function flood(server: FakeServer, g: ReturnType<FakeServer['group']>, n: number) {
  for (let i = 1; i <= n; i++) {
    server.say(g, person('b'), 'live ' + i)
    if (i % 100 === 0) await vi.advanceTimersByTimeAsync(10)
  }
}
const span = (w: Window) => `${w.rows()[0]?.seq}-${w.rows().at(-1)?.seq}${w.live ? ' live' : ''}`

test('opens at the newest, grows upwards to the beginning, and never holds more than 400', async () => {
  const { shown } = await roomOf(1000)
  await done(shown.showNewest())
  expect(span(shown)).toBe('951-1000 live')
  for (let i = 0; i < 7; i++) await done(shown.up())
  expect(span(shown)).toBe('601-1000 live')
  await done(shown.up())
  expect(span(shown)).toBe('551-950')
  for (let i = 0; i < 20; i++) await done(shown.up())
  expect([span(shown), shown.complete]).toEqual(['1-400', true])
})

test('grows downwards until it is live again', async () => {
  const { shown } = await roomOf(500)
  await done(shown.showAround(100))
  expect(shown.live).toBe(false)
  expect(shown.rows().some((r) => r.seq === 100)).toBe(true)
  for (let i = 0; i < 20; i++) await done(shown.down())
  expect(span(shown)).toBe('101-500 live')
})

test('rows are without a hole, whatever was fetched before', async () => {
  const { shown } = await roomOf(600)
  await done(shown.showAround(300))
  for (let i = 0; i < 3; i++) await done(shown.up())
  const seqs = shown.rows().map((r) => r.seq)
  expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, i) => seqs[0]! + i))
})

test('what arrives is shown while live; who reads far above keeps the rows, who follows loses the oldest', async () => {
  const { server, g, shown } = await roomOf(50)
  await done(shown.showNewest())
  for (let i = 0; i < 380; i++) server.say(g, person('b'), 'more ' + i)
  await vi.advanceTimersByTimeAsync(1000)
  expect(span(shown)).toBe('1-430 live')
  shown.bound(true)
  expect(span(shown)).toBe('131-430 live')
  for (let i = 0; i < 120; i++) server.say(g, person('b'), 'yet more ' + i)
  await vi.advanceTimersByTimeAsync(1000)
  shown.bound(false)
  expect(span(shown)).toBe('131-530')
})

test('an empty room is complete', async () => {
  const { shown } = await roomOf(0)
  await done(shown.showNewest())
  expect([shown.rows().length, shown.complete, shown.live]).toEqual([0, true, true])
})

test('however far the reader goes, the rows held are bounded', async () => {
  const { room, shown } = await roomOf(10_000)
  await done(shown.showNewest())
  let most = 0
  while (!shown.complete) {
    await done(shown.up())
    most = Math.max(most, room.log.all().length)
  }
  expect(span(shown)).toBe('1-400')
  while (!shown.live) {
    await done(shown.down())
    most = Math.max(most, room.log.all().length)
  }
  expect(span(shown)).toBe('9601-10000 live')
  expect(most).toBeLessThanOrEqual(1550)
})

test('a room that nobody looks at keeps a bounded number of what arrives, and counts all of it', async () => {
  const { server, g, room } = await roomOf(10)
  room.close()
  const before = room.unread
  await flood(server, g, 4000)
  expect(room.log.all().length).toBeLessThanOrEqual(1500)
  expect(room.last?.seq).toBe(4010)
  expect(room.unread - before).toBe(4000)
})

test('who reads far above while much arrives keeps the place, and comes back without a hole', async () => {
  const { server, g, room, shown } = await roomOf(2000)
  await done(shown.showAround(300))
  const place = span(shown)
  await flood(server, g, 3000)
  expect(span(shown)).toBe(place)
  expect(room.log.all().length).toBeLessThanOrEqual(1500)
  while (!shown.live) await done(shown.down())
  expect(span(shown)).toBe('4601-5000 live')
  expect(shown.rows().length).toBe(400)
})

test('rows that were let go are as the server has them when they come again', async () => {
  const { server, g, room, shown } = await roomOf(3000)
  const below = random(7)
  server.delay = () => 1 + below(40)
  await done(shown.showNewest())
  for (let i = 0; i < 200; i++) {
    const moving = [() => shown.up(), () => shown.down(), () => shown.showAround(1 + below(g.head)), () => shown.showNewest()][[0, 0, 1, 1, 2, 2, 2, 3][below(8)]!]!()
    for (let n = below(4); n > 0; n--) server.edit(g, 1 + below(3000), 'edit ' + i)
    if (below(3) === 0) server.say(g, person('b'), 'live ' + i)
    if (below(4) > 0) await vi.advanceTimersByTimeAsync(below(120))
    await done(moving)
    shown.bound(below(2) === 0)
    const rows = shown.rows()
    expect(textsOf(rows)).toEqual(textsOf(rows.map((row) => g.rows.get(row.seq)!)))
    expect(room.log.all().length).toBeLessThanOrEqual(1550)
  }
  expect(textsOf(room.log.all())).toEqual(textsOf(room.log.all().map((row) => g.rows.get(row.seq)!)))
})

test('an answered message that is not held shows its newest text', async () => {
  const { server, g, room } = await roomOf(500)
  room.quoted(3)
  await vi.advanceTimersByTimeAsync(1000)
  expect(room.quoted(3)?.message).toBe('text 3')
  server.edit(g, 3, 'as it is now')
  await vi.advanceTimersByTimeAsync(1000)
  expect(room.quoted(3)?.message).toBe('as it is now')
})

test('while a page is on its way no row is let go: the page may be older than what the row shows', () => {
  const log = new Log()
  const row = (rev: number) => ({ seq: 1, rev, message: 'rev ' + rev }) as Row
  log.join(3, [row(1)], false)
  log.beginPage()
  log.push({ n: 4, change: { groupId: 'g', head: 4, kind: 'message', message: row(4) } })
  log.keep([{ from: 3, to: Infinity }])
  log.page({ around: 1 }, { head: 3, messages: [row(1)], before: false, after: true })
  expect(log.row(1)?.message).toBe('rev 4')
})
