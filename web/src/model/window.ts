import type { Row } from './protocol'
import { index } from './ranges'
import type { Room } from './room'

const step = 50 // rows added when the reader comes near an end
const most = 400 // rows shown at once, however long the history

/**
 * Window is the stretch of a room's rows that stands in the page: bounded, without holes, and growing at the end the
 * reader comes near. It is live while it reaches to the newest row: then what arrives is shown.
 */
export class Window {
  private from = 0
  private to = Infinity
  private busy = false

  constructor(
    private readonly room: Room,
    /** Rows shown when a room is opened. */
    private readonly first = 60,
  ) {
    this.from = this.cut()
    room.shown = () => ({ from: this.from, to: this.to })
  }

  get live(): boolean {
    return this.to === Infinity
  }

  /** The rows to show, oldest first. */
  rows(): readonly Row[] {
    const held = this.stretch()
    const [a, b] = [index(held, this.from), index(held, this.to + 1)]
    return held.slice(a, b)
  }

  /** Nothing came before the first row. */
  get complete(): boolean {
    const held = this.stretch()
    return this.range()?.from === 1 && (held[0]?.seq ?? Infinity) >= this.from
  }

  /** Shows the newest rows, and what arrives from now on. */
  async showNewest(): Promise<void> {
    this.to = Infinity
    this.from = this.cut()
    if (this.rows().length > 0 || this.range()?.from === 1) return
    await this.room.loadNewest()
    this.from = this.cut()
  }

  /** Shows the rows around seq: those before it and those after. */
  async showAround(seq: number): Promise<void> {
    if (!this.room.log.ranges.has(seq)) await this.room.loadAround(seq)
    const range = this.room.log.ranges.around(seq)
    if (!range) return this.showNewest()
    const held = between(this.room.log.all(), range.from, range.to)
    const at = index(held, seq)
    this.from = held[Math.max(0, at - step)]?.seq ?? seq
    const end = held[at + step * 2]
    this.to = end ? end.seq : seq
    if (!end) await this.down()
  }

  /** Shows more at the top. */
  up(): Promise<void> {
    return this.once(async () => {
      if (this.above().length === 0 && !this.complete) await this.room.loadBefore(this.range()?.from ?? this.from)
      const above = this.above()
      this.from = above[Math.max(0, above.length - step)]?.seq ?? this.from
      const rows = this.rows()
      if (rows.length > most) this.to = rows[most - 1]!.seq
    })
  }

  /** Shows more at the bottom; at the newest row it becomes live. */
  down(): Promise<void> {
    return this.once(async () => {
      if (this.live) return
      const range = this.room.log.ranges.around(this.to)
      if (!range) return this.showNewest()
      const below = between(this.room.log.all(), this.to + 1, range.to)
      if (below.length <= step && range.to < this.room.log.head) await this.room.loadAfter(range.to)
      const next = between(this.room.log.all(), this.to + 1, this.room.log.ranges.around(this.to)?.to ?? this.to)
      if (next.length > step) this.to = next[step - 1]!.seq
      else if (this.room.log.ranges.covers(this.to, this.room.log.head)) this.to = Infinity
      else this.to = next.at(-1)?.seq ?? this.to
      this.trimTop(most)
    })
  }

  /** Keeps the bound when rows arrived: at the bottom the oldest leave; elsewhere the window stops being live. */
  bound(following: boolean): void {
    const rows = this.rows()
    if (!this.live || rows.length <= most) return
    if (following) this.trimTop(most - step * 2)
    else this.to = rows[most - 1]!.seq
  }

  private trimTop(keep: number): void {
    const rows = this.rows()
    if (rows.length > keep) this.from = rows[rows.length - keep]!.seq
  }

  private async once(act: () => Promise<void>): Promise<void> {
    if (this.busy) return
    this.busy = true
    try {
      await act()
    } finally {
      this.busy = false
    }
  }

  /** The numbers held without a hole around what is shown. */
  private range() {
    const { ranges, head, started } = this.room.log
    if (started && head === 0) return { from: 1, to: 0 } // nothing was ever said
    return ranges.around(this.live ? head : this.to)
  }

  private stretch(): readonly Row[] {
    const range = this.range()
    return range ? between(this.room.log.all(), range.from, range.to) : []
  }

  private above(): readonly Row[] {
    const held = this.stretch()
    return held.slice(0, index(held, this.from))
  }

  private cut(): number {
    const held = this.stretch()
    return held[Math.max(0, held.length - this.first)]?.seq ?? 0
  }
}

function between(rows: readonly Row[], from: number, to: number): readonly Row[] {
  return rows.slice(index(rows, from), index(rows, to + 1))
}
