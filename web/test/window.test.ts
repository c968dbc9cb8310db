import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Room } from '../src/model/room'
import { Window } from '../src/model/window'
import { FakeServer, FakeWire, person } from './server'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

/** A room with n messages on the server, of which the newest page is here. */
async function roomOf(n: number) {
  const server = new FakeServer()
  const g = server.group('lobby')
  for (let i = 1; i <= n; i++) server.say(g, person('b'), 'text ' + i)
  const wire = new FakeWire(server, person('a'))
  wire.events = { connected() {}, disconnected() {}, refused() {}, push: (event, payload: any) => event === 'message' && room.pushMessage(payload) }
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
  expect(span(shown)).toBe('131-550')
})

test('an empty room is complete', async () => {
  const { shown } = await roomOf(0)
  await done(shown.showNewest())
  expect([shown.rows().length, shown.complete, shown.live]).toEqual([0, true, true])
})
