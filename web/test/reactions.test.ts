import { describe, expect, test } from 'vitest'
import type { Row } from '../src/model/protocol'
import { carry, withWishes } from '../src/model/reactions'

const row = (reactions: Row['reactions']): Row => ({
  id: 'm', groupId: 'g', seq: 1, rev: 2, userId: 'u', nickName: 'U', guest: false, kind: 'text', message: '', sentAt: '', ...(reactions && { reactions }),
})
const crowd = Array.from({ length: 50 }, (_, i) => 'u' + i)

describe('which reactions are mine', () => {
  test('a push that names all who reacted says it by their ids', () => {
    const kept = carry(row([{ emoji: '👍', count: 2, userIds: ['me', 'you'] }, { emoji: '👀', count: 1, userIds: ['you'] }]), undefined, 'me')
    expect(kept.reactions?.map((r) => r.mine)).toEqual([true, false])
  })

  test('where more reacted than are named, what was known stays', () => {
    const before = row([{ emoji: '👍', count: 60, userIds: crowd, mine: true }])
    const push = row([{ emoji: '👍', count: 61, userIds: crowd }])
    expect(carry(push, before, 'me').reactions?.[0]?.mine).toBe(true)
    expect(carry(push, undefined, 'me').reactions?.[0]?.mine).toBe(false)
  })

  test('an answer to me knows better than what was known', () => {
    const before = row([{ emoji: '👍', count: 60, userIds: crowd, mine: true }])
    expect(carry(row([{ emoji: '👍', count: 59, userIds: crowd, mine: false }]), before, 'me').reactions?.[0]?.mine).toBe(false)
  })

  test('a row without reactions is passed on as it is', () => {
    const plain = row(undefined)
    expect(carry(plain, undefined, 'me')).toBe(plain)
  })
})

describe('a reaction that is not answered yet', () => {
  const thumbs = row([{ emoji: '👍', count: 2, userIds: ['me', 'you'], mine: true }])

  test('is shown as wished', () => {
    expect(withWishes(thumbs, new Map([['👍', false], ['🎉', true]]))).toEqual([
      { emoji: '👍', count: 1, mine: false }, { emoji: '🎉', count: 1, mine: true },
    ])
  })

  test('is counted once when the push is faster than the answer', () => {
    expect(withWishes(thumbs, new Map([['👍', true]]))).toEqual([{ emoji: '👍', count: 2, mine: true }])
  })

  test('goes with the last who gave it', () => {
    expect(withWishes(row([{ emoji: '👀', count: 1, userIds: ['me'], mine: true }]), new Map([['👀', false]]))).toEqual([])
  })
})
