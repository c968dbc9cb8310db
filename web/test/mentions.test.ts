// @vitest-environment node
import { expect, test } from 'vitest'
import { finder } from '../src/ui/finder'
import { mentionsIn, wordAtCaret } from '../src/model/mentions'

test.each([
  ['@', ''], ['@li', 'li'], ['hello @li', 'li'], ['你好@林', '林'], ['（@林晚', '林晚'],
  ['mail@host', undefined], ['@li ', undefined], ['no at', undefined],
])('%j before the caret asks for %j', (text, want) => {
  expect(wordAtCaret(text, text.length)).toBe(want)
})

test('only who still stands in the text is mentioned, once', () => {
  const chosen = new Map([['林晚', 'u1'], ['晚晚', 'u1'], ['Tomo', 'u2']])
  expect(mentionsIn('@林晚 @晚晚 看一下', chosen)).toEqual(['u1'])
  expect(mentionsIn('Tomo 看一下', chosen)).toBeUndefined()
})

test('a name is found by a part of it, by pinyin and by initials', async () => {
  const finds = await finder()
  for (const typed of ['林', '晚', 'linwan', 'lin', 'lw', 'LW']) expect(finds(typed, '林晚'), typed).toBe(true)
  for (const typed of ['wl', '满', 'x']) expect(finds(typed, '林晚'), typed).toBe(false)
  expect(finds('omo', 'Tomo')).toBe(true)
  expect(finds('xiao', 'Wren', '小满')).toBe(true)
  expect(finds('', 'anybody')).toBe(true)
})
