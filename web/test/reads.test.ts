import { expect, it } from 'vitest'
import { Refusal, type Group, type Row } from '../src/model/protocol'
import { Room } from '../src/model/room'

const group: Group = { groupId: 'g', name: 'g', kind: 'group', visibility: 'private', memberCount: 3, head: 0, rev: 1 }

function opened(more: Partial<Group> = {}) {
  const asked: string[] = []
  const link = {
    ready: true, epoch: 'e', seqs: {} as Record<string, number>, refusal: undefined as Refusal | undefined,
    request: async <T>(event: string) => {
      asked.push(event)
      if (link.refusal) throw link.refusal
      return { seqs: link.seqs } as T
    },
  }
  const room = new Room({ ...group, ...more }, link as never, () => 'me')
  const row = (seq: number, userId: string, more: Partial<Row> = {}): Row => ({
    id: 'm' + seq, groupId: 'g', seq, rev: seq, userId, nickName: userId, guest: false, kind: 'text', message: 'x', sentAt: '2026-11-19T08:00:00.000Z', ...more,
  })
  const rows = [row(1, 'me'), row(2, 'you'), row(3, 'me'), row(4, 'me', { recalledAt: '2026-11-19T08:00:01.000Z' }), row(5, 'me')]
  room.join({ epoch: 'e', head: 5, group: { ...group, ...more }, me: { userId: 'me', nickName: 'me', guest: false, bot: false }, messages: rows, before: false })
  return { room, link, asked }
}

it('says of my newest message that somebody has read how many have', async () => {
  const { room, link } = opened()
  expect(room.lastRead).toBeUndefined()
  link.seqs = { me: 5, you: 3, she: 2 }
  await room.loadReads()
  expect([room.lastRead, room.readers(3), room.readers(1)]).toEqual([3, 1, 2])
  room.hearReads({ she: 4, me: 5 })
  expect([room.lastRead, room.readers(3)]).toEqual([3, 2]) // 4 was recalled
  room.hearReads({ she: 5 })
  expect([room.lastRead, room.readers(5)]).toEqual([5, 1])
  room.hearReads({ she: 1 }) // late: nobody reads backwards
  expect(room.readers(5)).toBe(1)
})

it('counts nobody who left', async () => {
  const { room } = opened()
  room.hearReads({ you: 5, she: 5 })
  room.pushChange({ groupId: 'g', head: 6, kind: 'member', member: { groupId: 'g', userId: 'she', rev: 6, nickName: 'she', role: 'member', guest: false, bot: false, state: 'left' } })
  expect(room.readers(5)).toBe(1)
})

it('does not ask for a large group, and a refusal is no harm', async () => {
  const large = opened({ memberCount: 51 })
  await large.room.loadReads()
  expect(large.asked).toEqual([])
  const small = opened()
  small.link.refusal = new Refusal('RATE_LIMITED')
  await small.room.loadReads()
  expect([small.asked, small.room.lastRead]).toEqual([['reads'], undefined])
  small.room.hearReads({ you: 5 })
  small.room.reset()
  expect(small.room.readers(1)).toBe(0)
})
