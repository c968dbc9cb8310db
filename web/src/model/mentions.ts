import type { UserId } from './protocol'

// A mention is an @ and a name. Scripts that write words without spaces let them stand right before and behind it; of other
// letters both must be apart, or mail addresses would call people.

const dense = String.raw`\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}`
const opening = String.raw`(?:(?<![\p{L}\p{N}_+])|(?<=[${dense}]))@`

const openings = new RegExp(opening, 'gu')
const typed = new RegExp(opening + String.raw`([^\s@]{0,32})$`, 'u')
const endsDense = new RegExp(`[${dense}]$`, 'u')
const beginsDense = new RegExp(`^[${dense}]`, 'u')

/** Code and addresses, in which an @ calls nobody. */
const silent = /^[ \t]*(`{3,}|~{3,})[^`\n]*$[^]*?(?:^[ \t]*\1|(?![^]))|(?<!`)(`+)(?!`)[^]*?(?<!`)\2(?!`)|https?:\/\/[^\s<>"'，。；：！？、（）【】《》「」『』“”‘’…]+/gim

/** The letters between an @ and the caret; undefined when the caret stands behind none. */
export function wordAtCaret(source: string, caret: number): string | undefined {
  return typed.exec(source.slice(0, caret))?.[1]
}

/** Somebody under a name that others see; without an id it is known and cannot be called. */
export interface Named {
  id: UserId | 'all' | undefined
  name: string
}

/**
 * Who is called by a text, each once: who was chosen for a name, or else who alone is known by it. Where several names
 * fit, the longest counts.
 */
export function mentionsIn(source: string, chosen: ReadonlyMap<string, string>, known: readonly Named[] = []): string[] | undefined {
  const bearers = new Map<string, Named['id'][]>()
  for (const { id, name } of known) bearers.set(name, [...(bearers.get(name) ?? []), id])
  for (const [name, id] of chosen) bearers.set(name, [id])
  const longestFirst = [...bearers.keys()].filter(Boolean).sort((a, b) => b.length - a.length)

  const ids = new Set<string>()
  const words = source.replace(silent, (code) => ' '.repeat(code.length))
  for (const { index } of words.matchAll(openings)) {
    const called = words.slice(index + 1)
    const name = longestFirst.find((name) => called.startsWith(name) && endsBefore(called.slice(name.length), name))
    const [id, ...others] = bearers.get(name ?? '') ?? []
    if (id !== undefined && others.length === 0) ids.add(id)
  }
  return ids.size > 0 ? [...ids] : undefined
}

/** Whether a name is over before rest. */
function endsBefore(rest: string, name: string): boolean {
  if (/^[\p{M}\u200d]/u.test(rest)) return false // its last letter is not
  if (endsDense.test(name) || beginsDense.test(rest) || !/[\p{L}\p{N}]$/u.test(name)) return true
  return !/^(?:[\p{L}\p{N}_@]|[.-][\p{L}\p{N}])/u.test(rest)
}
