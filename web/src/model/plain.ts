import type { Range } from './ranges'

/** The signs of Markdown that a line of plain words does without, near enough: fences, bold, struck, code, quotes, links. */
const signs = /```[^\n]*\n?|\*\*|~~|`|^[ \t]*>+[ \t]?|\[(?=[^\]\n]+\]\(https?:)|\]\(https?:[^)\s]*\)/gm

/** Where those signs stand, in code units, the last one included. */
export function signsIn(source: string): Range[] {
  return [...source.matchAll(signs)].map((found) => ({ from: found.index, to: found.index + found[0].length - 1 }))
}

/** Markdown in one line of plain words. */
export function oneLine(source: string): string {
  return source.replace(/```[^\n]*\n?/g, ' ').replace(signs, '').replace(/\s+/g, ' ').trim().slice(0, 200)
}
