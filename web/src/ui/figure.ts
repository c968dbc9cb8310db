// A person's figure follows from the name: a pigment, and shapes on a grid of two by two cells of 12 units at (8, 8).
// Turning figures never have four equal arms: some of those read as symbols.

/** One shape of a figure, in a viewBox of 40. */
export interface Shape {
  path: string
  transform: string
}

export interface Figure {
  /** 1 to 8. */
  pigment: number
  shapes: Shape[]
}

const paths = [
  'M0 0H12A12 12 0 0 1 0 12Z', // quarter disc
  'M0 0A12 12 0 0 1 12 12A12 12 0 0 1 0 0Z', // leaf
  'M6 .8A5.2 5.2 0 1 1 6 11.2A5.2 5.2 0 1 1 6 .8Z', // disc
  'M0 0H12V6A6 6 0 0 1 0 6Z', // half pill
  'M0 0H12L0 12Z', // triangle
  'M0 0H12V12H0Z', // square
  'M0 0H6A6 6 0 0 0 12 6V12A12 12 0 0 1 0 0Z', // arc
  'M6 0L12 6L6 12L0 6Z', // diamond
] as const

const [left, right, top, bottom] = [8, 20, 8, 20]

export function figure(name: string): Figure {
  const h = hash(name)
  const kind = [0, 1, 1, 1, 2, 2][h % 6]
  const pigment = 1 + ((h >>> 18) % 8)
  if (kind === 0) return { pigment, shapes: fourfold(h >>> 3) }
  return { pigment, shapes: kind === 1 ? mirrored(h) : turned(h) }
}

/** The same cell on four sides, in forms that are mirror-symmetric. */
function fourfold(n: number): Shape[] {
  const forms = [[0, 0], [1, 0], [1, 1], [4, 1], [7, 0], [6, 0]] as const
  const [shape, turns] = pick(forms, n)
  if (shape === 6) return [cell(6, left, top, true), cell(6, right, top), cell(6, left, bottom, true), cell(6, right, bottom)]
  if (shape === 1) {
    return [cell(1, left, top, false, turns), cell(1, right, top, true, turns), cell(1, left, bottom, true, turns), cell(1, right, bottom, false, turns)]
  }
  const turn = shape === 7 ? [0, 0, 0, 0] as const : [0, 1, 2, 3] as const
  return [cell(shape, left, top, false, turn[0]), cell(shape, right, top, false, turn[1]), cell(shape, right, bottom, false, turn[2]), cell(shape, left, bottom, false, turn[3])]
}

/** Mirrored left to right. */
function mirrored(h: number): Shape[] {
  const [upper, lower] = pair(h, [0, 1, 2, 3, 4, 5, 6, 7], [0, 1, 2, 3, 4, 5, 6, 7])
  const [r, q] = turns(h)
  return [cell(upper, left, top, false, r), cell(upper, right, top, true, r), cell(lower, left, bottom, false, q), cell(lower, right, bottom, true, q)]
}

/** Turned by half: one cell is always a disc or a diamond. */
function turned(h: number): Shape[] {
  const [a, b] = pair(h, [2, 7], [0, 1, 6])
  const [r, q] = turns(h)
  return [cell(a, left, top, false, r), cell(b, right, top, false, q), cell(a, right, bottom, false, r + 2), cell(b, left, bottom, false, q + 2)]
}

function pair(h: number, first: readonly number[], second: readonly number[]): [number, number] {
  const a = pick(first, h >>> 3)
  const b = pick(second, h >>> 10)
  return [a, a === b ? (a + 3) % 8 : b]
}

const turns = (h: number): [number, number] => [(h >>> 7) & 3, (h >>> 14) & 3]

const pick = <T>(list: readonly T[], n: number): T => list[n % list.length]!

function cell(shape: number, x: number, y: number, flipped = false, quarters = 0): Shape {
  const flip = flipped ? ' translate(12 0) scale(-1 1)' : ''
  const turn = quarters ? ` rotate(${90 * quarters} 6 6)` : ''
  return { path: paths[shape]!, transform: `translate(${x} ${y})${flip}${turn}` }
}

/** fmix32 of FNV-1a over the UTF-8 of the folded name. */
function hash(name: string): number {
  let h = 2166136261
  for (const byte of new TextEncoder().encode(name.normalize('NFKC').toLowerCase())) h = Math.imul(h ^ byte, 16777619) >>> 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b) >>> 0
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35) >>> 0
  return (h ^ (h >>> 16)) >>> 0
}
