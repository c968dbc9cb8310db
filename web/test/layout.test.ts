import { describe, expect, test } from 'vitest'
import { layout, type Item, type Shown } from '../src/model/layout'
import type { Row } from '../src/model/protocol'

const row = (seq: number, userId: string, at: string, more: Partial<Row> = {}): Row => ({
  id: 'm' + seq, groupId: 'g', seq, rev: seq, userId, nickName: userId, guest: false, kind: 'text', message: 'text ' + seq, sentAt: new Date(at).toISOString(), ...more,
})

const shown = (rows: Row[], more: Partial<Shown> = {}): Item[] =>
  layout({ rows, told: [], unsent: [], me: { userId: 'me', nickName: 'me', guest: false }, newLine: undefined, ...more })

/** [ and ] stand where a group of one sender begins and ends. */
const sketch = (items: Item[]) =>
  items.map((i) => (i.kind === 'said' ? `${i.first ? '[' : ''}${i.userId}${i.seq ?? '?'}${i.last ? ']' : ''}` : i.kind)).join(' ')

describe('the layout of a timeline', () => {
  test('groups one sender within five minutes, on one day, with nothing between', () => {
    const rows = [
      row(1, 'a', '2026-03-01T10:00:00'), row(2, 'a', '2026-03-01T10:04:59'), row(3, 'a', '2026-03-01T10:09:59'), row(4, 'b', '2026-03-01T10:10:00'),
      row(5, 'b', '2026-03-01T10:10:10', { recalledAt: 'then' }), row(6, 'b', '2026-03-01T10:10:20'), row(7, 'b', '2026-03-02T10:10:30'),
    ]
    expect(sketch(shown(rows))).toBe('day [a1 a2] [a3] [b4] line [b6] day [b7]')
  })

  test('places the new line before the first message of somebody else after the cursor', () => {
    const rows = [row(1, 'a', '2026-03-01T10:00:00'), row(2, 'me', '2026-03-01T10:00:10'), row(3, 'a', '2026-03-01T10:00:20')]
    expect(sketch(shown(rows, { newLine: 1 }))).toBe('day [a1] [me2] new [a3]')
    expect(sketch(shown(rows, { newLine: 3 }))).toBe('day [a1] [me2] [a3]')
  })

  test('a pending message keeps its key when its row comes', () => {
    const unsent = { clientId: 'c1', userId: 'me', groupId: 'g', text: 'hi', at: Date.parse('2026-03-01T10:00:00'), state: 'pending' as const }
    const before = shown([], { unsent: [unsent] }).at(-1)!
    const after = shown([row(1, 'me', '2026-03-01T10:00:01', { clientId: 'c1' })]).at(-1)!
    expect(after.key).toBe(before.key)
  })

  test('what is left of a message that has its row is not shown beside it', () => {
    const unsent = { clientId: 'c1', userId: 'me', groupId: 'g', text: 'hi', at: Date.parse('2026-03-01T10:00:00'), state: 'pending' as const }
    const rows = [row(1, 'a', '2026-03-01T10:00:00'), row(2, 'me', '2026-03-01T10:00:01', { clientId: 'c1' })]
    expect(sketch(shown(rows, { unsent: [unsent, { ...unsent, clientId: 'c2' }] }))).toBe('day [a1] [me2 me?]')
  })

  test('a told line stands after the row that was there before it', () => {
    const rows = [row(1, 'a', '2026-03-01T10:00:00'), row(2, 'a', '2026-03-01T10:00:10')]
    const told = [{ key: 't', after: 1, message: row(0, 'g', '2026-03-01T10:00:05', { kind: 'join' }) }]
    expect(sketch(shown(rows, { told }))).toBe('day [a1] line [a2]')
  })
})
