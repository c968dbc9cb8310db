/** A stretch of numbers, both ends included. */
export interface Range {
  from: number
  to: number
}

/** The numbers of a group that are held completely: sorted, disjoint stretches that never touch. */
export class Ranges {
  private list: Range[] = []

  add(from: number, to: number): void {
    if (to < from) return
    const apart: Range[] = []
    for (const r of this.list) {
      if (r.to < from - 1 || r.from > to + 1) apart.push(r)
      else {
        from = Math.min(from, r.from)
        to = Math.max(to, r.to)
      }
    }
    apart.push({ from, to })
    this.list = apart.sort((a, b) => a.from - b.from)
  }

  /** The stretch that holds n. */
  around(n: number): Range | undefined {
    return this.list.find((r) => r.from <= n && n <= r.to)
  }

  has(n: number): boolean {
    return this.around(n) !== undefined
  }

  covers(from: number, to: number): boolean {
    return to < from || (this.around(from)?.to ?? -1) >= to
  }

  /** Lets go of all but these stretches. */
  keep(stretches: readonly Range[]): void {
    const before = this.list
    this.list = []
    for (const held of before) {
      for (const kept of stretches) this.add(Math.max(held.from, kept.from), Math.min(held.to, kept.to))
    }
  }

  clear(): void {
    this.list = []
  }
}

/** The place in rows, which are in the order of seq, of the first whose seq is at least that. */
export function index(rows: readonly { seq: number }[], seq: number): number {
  let [low, high] = [0, rows.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (rows[middle]!.seq < seq) low = middle + 1
    else high = middle
  }
  return low
}
