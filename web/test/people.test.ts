import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Refusal, type Group, type Member } from '../src/model/protocol'
import { Room } from '../src/model/room'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('who stands in the page is asked for once, all with one request; where there was no answer, again', async () => {
  const asked: string[][] = []
  let up = false
  const request = async (_: string, { userIds }: { userIds: string[] }) => {
    asked.push(userIds)
    if (!up) throw new Refusal('NO_ANSWER')
    return { members: userIds.map((userId) => ({ groupId: 'g', userId, rev: 1, nickName: userId, avatar: '/files/' + userId, role: 'member', guest: false, bot: userId === 'b', state: 'active' }) satisfies Member) }
  }
  const group = { groupId: 'g', name: 'g', kind: 'group', visibility: 'open', memberCount: 3, head: 0, rev: 1 } satisfies Group
  const room = new Room(group, { ready: true, epoch: 'e', request: request as never }, () => 'me')
  room.acquaint(['a', 'b'])
  await vi.advanceTimersByTimeAsync(200)
  up = true
  room.acquaint(['a', 'b'])
  room.acquaint(['b', 'c'])
  await vi.advanceTimersByTimeAsync(200)
  room.acquaint(['a', 'b', 'c'])
  expect(room.nameOf('d')).toBeUndefined()
  await vi.advanceTimersByTimeAsync(200)
  expect(asked).toEqual([['a', 'b'], ['a', 'b', 'c'], ['d']])
  expect([room.people.get('a')?.avatar, room.people.get('b')?.bot, room.nameOf('d')]).toEqual(['/files/a', true, 'd'])
})
