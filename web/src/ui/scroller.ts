const close = 80 // px from the bottom that still count as being there
const foot = 4 // px a row may be cut and still be seen

/**
 * Scroller keeps the reader's place. Before the rows change it takes where each row in sight stands, and afterwards puts
 * the first of them that is still there back to the pixel; who was near the bottom stays at the bottom.
 */
export class Scroller {
  /** The column, as it stands, ends with the newest there is: only then its bottom is a place to stay at. */
  live = true

  private stuck = true
  private anchors: { row: Element; top: number }[] = []
  private paneHeight: number
  private readonly sizes: ResizeObserver

  constructor(
    private readonly pane: HTMLElement,
    private readonly column: HTMLElement,
    private readonly moved: () => void,
  ) {
    this.paneHeight = pane.clientHeight
    this.sizes = new ResizeObserver(() => this.resized())
    this.sizes.observe(pane)
    this.sizes.observe(column)
    pane.addEventListener('scroll', this.scrolled, { passive: true })
  }

  stop(): void {
    this.sizes.disconnect()
    this.pane.removeEventListener('scroll', this.scrolled)
  }

  get height(): number {
    return this.pane.clientHeight
  }

  /** Pixels of rows above what is in sight, and below it. */
  get above(): number {
    return this.pane.scrollTop
  }

  get below(): number {
    return this.pane.scrollHeight - this.pane.scrollTop - this.pane.clientHeight
  }

  get near(): boolean {
    return this.live && this.below < close
  }

  hold(): void {
    const { top, bottom } = this.pane.getBoundingClientRect()
    this.stuck = this.near
    this.anchors = []
    for (const row of this.column.children) {
      if (row.role === 'separator') continue // it moves when rows of its day are added
      const box = row.getBoundingClientRect()
      if (box.bottom <= top) continue
      if (box.top >= bottom) break
      this.anchors.push({ row, top: box.top })
    }
  }

  keep(): void {
    if (this.stuck) return this.toBottom()
    const anchor = this.anchors.find(({ row }) => row.isConnected)
    if (!anchor) return
    const shift = anchor.row.getBoundingClientRect().top - anchor.top
    if (Math.abs(shift) >= 0.5) this.pane.scrollTop += shift
  }

  toBottom(): void {
    this.stuck = true
    this.pane.scrollTop = this.pane.scrollHeight
  }

  /** Brings a thing into the upper part of what is in sight. */
  show(thing: Element): void {
    const { top } = this.pane.getBoundingClientRect()
    this.pane.scrollTop += thing.getBoundingClientRect().top - top - this.pane.clientHeight / 5
    this.stuck = this.near
  }

  /** Brings a thing into the middle. */
  center(thing: Element): void {
    const pane = this.pane.getBoundingClientRect()
    const box = thing.getBoundingClientRect()
    this.pane.scrollTop += box.top + Math.min(box.height, pane.height) / 2 - pane.top - pane.height / 2
    this.stuck = this.near
  }

  /** The seq of the last row that is wholly in sight or above it. */
  lastSeen(): number | undefined {
    const { bottom } = this.pane.getBoundingClientRect()
    for (let row = this.column.lastElementChild; row; row = row.previousElementSibling) {
      const seq = (row as HTMLElement).dataset.seq
      if (seq !== undefined && row.getBoundingClientRect().bottom <= bottom + foot) return Number(seq)
    }
    return undefined
  }

  private readonly scrolled = () => {
    this.stuck = this.near
    this.moved()
  }

  /** The pane or the column changed its height, by a keyboard, a banner or a late picture: the bottom line stands still. */
  private resized(): void {
    const grown = this.pane.clientHeight - this.paneHeight
    this.paneHeight = this.pane.clientHeight
    if (this.stuck) this.toBottom()
    else if (grown !== 0) this.pane.scrollTop -= grown
    this.moved()
  }
}
