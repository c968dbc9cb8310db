import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Typists } from '../src/model/typing'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('who writes is heard of for five seconds after the last time', () => {
  const changed = vi.fn()
  const typists = new Typists(changed)
  typists.hear('a', 'Anna')
  vi.advanceTimersByTime(4000)
  typists.hear('a', 'Anna')
  vi.advanceTimersByTime(4000)
  expect(typists.names).toEqual(['Anna'])
  vi.advanceTimersByTime(1001)
  expect(typists.names).toEqual([])
  expect(changed).toHaveBeenCalledTimes(3)
})

test('what they said ends it at once', () => {
  const typists = new Typists(() => undefined)
  typists.hear('a', 'Anna')
  typists.hear('b', 'Bo')
  typists.stop('a')
  typists.stop('nobody')
  expect(typists.names).toEqual(['Bo'])
})

test('I tell that I write at most every three seconds: the server passes on no more', () => {
  const typists = new Typists(() => undefined)
  expect(typists.due()).toBe(true)
  expect(typists.due()).toBe(false)
  vi.advanceTimersByTime(3000)
  expect(typists.due()).toBe(true)
})
