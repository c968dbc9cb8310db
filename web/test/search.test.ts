import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Refusal, type Row } from '../src/model/protocol'
import { excerpt, Search, type Hit } from '../src/model/search'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const hit = (message: string, ...marks: [number, number][]): Hit => ({ message: { seq: 1, message } as Row, marks })

/** A search on a server whose answers wait until they are let go. */
function searching() {
  const asked: { payload: Record<string, unknown>; answer: (a: unknown) => void; refuse: (code: 'RATE_LIMITED') => void }[] = []
  const link = {
    ready: true, epoch: '',
    request: <T>(_: string, payload: object) => new Promise<T>((answer, reject) =>
      asked.push({ payload: payload as Record<string, unknown>, answer: answer as (a: unknown) => void, refuse: (code) => reject(new Refusal(code)) })),
  }
  return { search: new Search(link), asked }
}

test('a pause in typing is waited for, and only the last question counts', async () => {
  const { search, asked } = searching()
  for (const words of ['回', '回滚']) search.look({ words })
  await vi.advanceTimersByTimeAsync(300)
  expect(asked.map((a) => a.payload.text)).toEqual(['回滚'])
  search.look({ words: '回滚脚本' })
  await vi.advanceTimersByTimeAsync(300)
  asked[1]!.answer({ hits: [hit('new')] })
  asked[0]!.answer({ hits: [hit('old')] })
  await vi.advanceTimersByTimeAsync(0)
  expect(search.hits.map((h) => h.message.message)).toEqual(['new'])
})

test('pages follow each other until there is none', async () => {
  const { search, asked } = searching()
  search.look({ words: 'x', group: 'g' }, 0)
  await vi.advanceTimersByTimeAsync(1)
  asked[0]!.answer({ hits: [hit('a')], before: 'p2' })
  await vi.advanceTimersByTimeAsync(0)
  expect(search.more).toBe(true)
  void search.page()
  expect(asked[1]!.payload).toEqual({ text: 'x', groupId: 'g', before: 'p2' })
  asked[1]!.answer({ hits: [hit('b')] })
  await vi.advanceTimersByTimeAsync(0)
  expect([search.hits.length, search.more]).toEqual([2, false])
})

test('an empty page is not the last while there is one before it', async () => {
  const { search, asked } = searching()
  search.look({ words: 'x' }, 0)
  await vi.advanceTimersByTimeAsync(1)
  asked[0]!.answer({ hits: [], before: 'p2' })
  await vi.advanceTimersByTimeAsync(0)
  expect([search.answered, search.busy]).toEqual([false, true])
  expect(asked[1]!.payload).toEqual({ text: 'x', before: 'p2' })
  asked[1]!.answer({ hits: [hit('a')], before: 'p3' })
  await vi.advanceTimersByTimeAsync(0)
  expect([search.hits.length, search.more, search.busy]).toEqual([1, true, false])
})

test('a refusal is shown, and emptied words forget all', async () => {
  const { search, asked } = searching()
  search.look({ words: 'x' }, 0)
  await vi.advanceTimersByTimeAsync(1)
  asked[0]!.refuse('RATE_LIMITED')
  await vi.advanceTimersByTimeAsync(0)
  expect(search.refused?.code).toBe('RATE_LIMITED')
  search.look({ words: ' ' })
  expect([search.answered, search.refused]).toEqual([false, undefined])
})

test('an excerpt begins a little before the first word, by code points', () => {
  expect(excerpt(hit('🎉🎉回滚 the end', [2, 2]), 1)).toEqual([
    { text: '…', hit: false }, { text: '🎉', hit: false }, { text: '回滚', hit: true }, { text: ' the end', hit: false },
  ])
})

test('an excerpt begins with a whole word where words have spaces between them', () => {
  const parts = (source: string, around: number) => excerpt(hit(source, [source.indexOf('back'), 4]), around).map((part) => part.text)
  expect(parts('before we left, a way back', 11)).toEqual(['…', 'a way ', 'back'])
  expect(parts('before we left, a way back', 12)).toEqual(['…', 'left, a way ', 'back'])
  expect(parts('迁移脚本的back', 3)).toEqual(['…', '脚本的', 'back'])
})

test('an excerpt shows no signs of Markdown, and its marks stay where they were', () => {
  const source = '> 🎉 **回滚** 见 [说明](https://example.org/a)，`now`'
  const at = [...source].join('').indexOf('回滚')
  const marks = [[[...source.slice(0, at)].length, 2]] as [number, number][]
  expect(excerpt(hit(source, ...marks))).toEqual([{ text: '🎉 ', hit: false }, { text: '回滚', hit: true }, { text: ' 见 说明，now', hit: false }])
})
