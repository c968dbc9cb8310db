import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Presences } from '../src/model/presence'
import { Refusal, type PresenceAnswer } from '../src/model/protocol'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

function someone() {
  const asked: string[][] = []
  const link = {
    ready: true, epoch: 'e', answer: { online: [] } as PresenceAnswer, refusal: undefined as Refusal | undefined,
    request: async <T>(_: string, { userIds }: { userIds: string[] }) => {
      asked.push(userIds)
      if (link.refusal) throw link.refusal
      return link.answer as T
    },
  }
  const world = { looks: true }
  const presences = new Presences(link as never, () => 'me', () => world.looks)
  return { presences, link, asked, world }
}

describe('presences', () => {
  it('asks at once for all who came into sight together, and hears what is pushed of them', async () => {
    const { presences, link, asked } = someone()
    link.answer = { online: ['a', 'b'], away: ['b'], seen: { c: '2026-11-19T07:58:00.000Z' } }
    for (const id of ['a', 'b', 'c', 'a']) presences.follow(id)
    await vi.advanceTimersByTimeAsync(100)
    expect(asked).toEqual([['a', 'b', 'c']])
    expect(['a', 'b', 'c', 'x'].map((id) => presences.of(id))).toEqual(['online', 'away', 'offline', undefined])
    expect(presences.seenAt('c')).toBe(Date.parse('2026-11-19T07:58:00.000Z'))
    presences.hear({ userId: 'a', presence: 'offline' })
    presences.hear({ userId: 'x', presence: 'online' }) // nobody shows them
    expect([presences.of('a'), presences.of('x')]).toEqual(['offline', undefined])
    expect(presences.seenAt('a')).toBe(Date.now())
    expect(presences.of('me')).toBe('online')
  })

  it('asks for nobody who went out of sight, and not while nobody looks', async () => {
    const { presences, asked, world } = someone()
    const [first, second] = [presences.follow('a'), presences.follow('a')]
    await vi.advanceTimersByTimeAsync(100)
    first()
    first() // twice is once
    expect(presences.of('a')).toBe('offline')
    world.looks = false
    await vi.advanceTimersByTimeAsync(180_000)
    expect(asked.length).toBe(1)
    world.looks = true
    await vi.advanceTimersByTimeAsync(60_000)
    expect(asked.length).toBe(2)
    second()
    await vi.advanceTimersByTimeAsync(600_000)
    expect(asked.length).toBe(2)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('knows nothing without a connection, and asks anew with the next', async () => {
    const { presences, link, asked } = someone()
    link.answer = { online: ['a'] }
    presences.follow('a')
    await vi.advanceTimersByTimeAsync(100)
    link.ready = false
    expect([presences.of('a'), presences.of('me')]).toEqual([undefined, undefined])
    link.ready = true
    presences.renew()
    expect(presences.of('a')).toBeUndefined()
    await vi.advanceTimersByTimeAsync(100)
    expect([presences.of('a'), asked.length]).toEqual(['online', 2])
    link.refusal = new Refusal('RATE_LIMITED')
    await vi.advanceTimersByTimeAsync(60_000)
    expect(presences.of('a')).toBe('online')
  })

  it('asks for many in several requests', async () => {
    const { presences, asked } = someone()
    for (let i = 0; i < 450; i++) presences.follow('u' + i)
    await vi.advanceTimersByTimeAsync(100)
    expect(asked.map((ids) => ids.length)).toEqual([200, 200, 50])
  })
})
