import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Drafts } from '../src/model/drafts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

let people = 0
/** Drafts of a person nobody was before, and what the server was told. */
function someone() {
  const told: string[] = []
  const server = { refuses: false }
  const drafts = new Drafts(async (group, text) => {
    if (server.refuses) throw new Error('no connection')
    told.push(group + ':' + text)
  })
  drafts.of('me' + ++people)
  return { drafts, told, server }
}

test('a pause tells the server, once for all that was written', async () => {
  const { drafts, told } = someone()
  for (const text of ['a', 'ab', 'abc']) drafts.write('g', text)
  await vi.advanceTimersByTimeAsync(1600)
  expect(told).toEqual(['g:abc'])
  drafts.write('g', '') // it was sent
  await vi.advanceTimersByTimeAsync(1)
  expect(told).toEqual(['g:abc', 'g:'])
})

test('what is written while the server is told is told after it', async () => {
  const told: string[] = []
  const drafts = new Drafts(async (_, text) => {
    await new Promise((done) => setTimeout(done, 100))
    told.push(text)
  })
  drafts.of('me' + ++people)
  drafts.write('g', '@')
  await vi.advanceTimersByTimeAsync(1550)
  drafts.write('g', '') // while "@" is on its way
  await vi.advanceTimersByTimeAsync(300)
  expect(told).toEqual(['@', ''])
})

test('another device is heard, but never under the cursor', async () => {
  const { drafts } = someone()
  drafts.hear('g', 'from the phone')
  expect(drafts.get('g')).toBe('from the phone')
  drafts.focused = 'g'
  drafts.hear('g', 'more from the phone')
  expect(drafts.get('g')).toBe('from the phone')
})

test('what I wrote here and the server has not got wins', async () => {
  const { drafts, told, server } = someone()
  server.refuses = true
  drafts.write('g', 'mine')
  await vi.advanceTimersByTimeAsync(1600)
  drafts.hear('g', 'old')
  expect(drafts.get('g')).toBe('mine')
  server.refuses = false
  drafts.wake()
  await vi.advanceTimersByTimeAsync(1)
  expect(told).toEqual(['g:mine'])
})

test('drafts are a person’s own', () => {
  const { drafts } = someone()
  drafts.write('g', 'secret')
  drafts.of('another')
  expect(drafts.get('g')).toBe('')
})
