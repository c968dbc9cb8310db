// @vitest-environment node
import { expect, test } from 'vitest'
import { finder } from '../src/ui/finder'
import { mentionsIn, wordAtCaret } from '../src/model/mentions'

test.each([
  ['@', ''], ['@li', 'li'], ['hello @li', 'li'], ['你好@林', '林'], ['（@林晚', '林晚'], ['さん@林', '林'], ['👋@li', 'li'],
  ['mail@host', undefined], ['@li ', undefined], ['no at', undefined],
])('%j before the caret asks for %j', (text, want) => {
  expect(wordAtCaret(text, text.length)).toBe(want)
})

test('only who still stands in the text is mentioned, once', () => {
  const chosen = new Map([['林晚', 'u1'], ['晚晚', 'u1'], ['Tomo', 'u2']])
  expect(mentionsIn('@林晚 @晚晚 看一下', chosen)).toEqual(['u1'])
  expect(mentionsIn('Tomo 看一下', chosen)).toBeUndefined()
})

const known = [
  { id: 'tomo', name: 'Tomo' }, { id: 'hawk', name: 'Tomo Hawk' }, { id: '林', name: '林晚' }, { id: '林2', name: '林晚晚' }, { id: 'mie', name: 'さくら' },
  { id: 'a', name: 'Twin' }, { id: 'b', name: 'Twin' }, { id: undefined, name: 'Me' }, { id: undefined, name: 'Tomorrow' }, { id: 'host', name: 'example' }, { id: 'sun', name: '小满☀️' },
  { id: 'all', name: '所有人' }, { id: 'all', name: 'all' },
]

test.each([
  ['at the end', '看 @Tomo', ['tomo']],
  ['before a space', '@Tomo look', ['tomo']],
  ['before a line', '@Tomo\nlook', ['tomo']],
  ['before a comma', '@Tomo, @林晚，看', ['tomo', '林']],
  ['at the end of a sentence', 'ask @Tomo. Or @example.', ['tomo', 'host']],
  ['with an ending', '@Tomo’s', ['tomo']],
  ['Chinese before and behind', '请@林晚看一下', ['林']],
  ['Latin before Chinese', '请@Tomo看一下', ['tomo']],
  ['Japanese', '@さくらさん', ['mie']],
  ['behind a picture', '👋@Tomo', ['tomo']],
  ['a name with a picture', '@小满☀️早', ['sun']],
  ['a name with a space', '@Tomo Hawk look', ['hawk']],
  ['the longest', '@林晚晚看', ['林2']],
  ['in bold', '**@Tomo**', ['tomo']],
  ['everybody', '@所有人开会 @all', ['all']],
  ['each once, in their order', '@林晚 @Tomo @林晚', ['林', 'tomo']],
])('a name typed out calls: %s', (_, text, want) => {
  expect(mentionsIn(text, new Map(), known)).toEqual(want)
})

test.each([
  ['another word', '@Tomohawk'],
  ['another case', '@tomo'],
  ['one of two', '@Twin'],
  ['me, whose name begins like another’s', '@Tomorrow @Me'],
  ['a mail address', 'ask Tomo@example, mail@Tomo or a+@Tomo'],
  ['an address on another server', '@example.com @Tomo@social'],
  ['a link', 'https://social/@Tomo'],
  ['code', 'say `@Tomo` or ``a ` @Tomo``'],
  ['a block of code', 'so:\n```js\n@Tomo\n```'],
  ['a block of code that goes on', '~~~\n@Tomo\n\n@林晚'],
  ['nobody', '@ Tomo @'],
])('calls nobody: %s', (_, text) => {
  expect(mentionsIn(text, new Map(), known)).toBeUndefined()
})

test('behind code a name calls again', () => {
  expect(mentionsIn('```@Twin``` @Tomo', new Map(), known)).toEqual(['tomo'])
  expect(mentionsIn('```\n@Twin\n```\n@Tomo https://a/@林晚，@林晚', new Map(), known)).toEqual(['tomo', '林'])
})

test('of two with the same name, who was chosen is called', () => {
  expect(mentionsIn('@Twin', new Map([['Twin', 'b']]), known)).toEqual(['b'])
})

test('a text full of signs costs little', () => {
  const crowd = Array.from({ length: 500 }, (_, i) => ({ id: 'u' + i, name: 'Somebody ' + i }))
  for (const text of ['@'.repeat(8000), '`'.repeat(8000), '@Somebody '.repeat(800), '` `` '.repeat(1600), '```\n'.repeat(2000)]) {
    const begun = process.cpuUsage()
    mentionsIn(text, new Map(), crowd)
    expect(process.cpuUsage(begun).user / 1000, text.slice(0, 12)).toBeLessThan(500)
  }
})

test('a name is found by a part of it, by pinyin and by initials', async () => {
  const finds = await finder()
  for (const typed of ['林', '晚', 'linwan', 'lin', 'lw', 'LW']) expect(finds(typed, '林晚'), typed).toBe(true)
  for (const typed of ['wl', '满', 'x']) expect(finds(typed, '林晚'), typed).toBe(false)
  expect(finds('omo', 'Tomo')).toBe(true)
  expect(finds('xiao', 'Wren', '小满')).toBe(true)
  expect(finds('', 'anybody')).toBe(true)
})
