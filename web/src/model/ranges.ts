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

  clear(): void {
    this.list = []
  }
}
