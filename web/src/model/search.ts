import { signsIn } from './plain'
import { Refusal, type GroupId, type Row, type UserId } from './protocol'
import { Watched } from './watched'
import type { Link } from './wire'

export interface Hit {
  message: Row
  /** Where the words stand in the text: from which code point on, and how many. */
  marks: [number, number][]
}

export interface Query {
  words: string
  group?: GroupId | undefined
  from?: UserId | undefined
}

interface Answer {
  hits: Hit[]
  before?: string
}

const pause = 250 // ms without a letter before it is looked for

/** Search looks for words as they are typed: only the last question's answer counts, and pages follow each other. */
export class Search extends Watched {
  hits: readonly Hit[] = []
  /** Something was looked for and answered. */
  answered = false
  busy = false
  refused: Refusal | undefined
  /** How long the answer took, in milliseconds. */
  took = 0

  private query: Query = { words: '' }
  private next: string | undefined
  private asked = 0
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly link: Link) {
    super()
  }

  /** There is a page before the hits. */
  get more(): boolean {
    return this.next !== undefined
  }

  look(query: Query, at = pause): void {
    clearTimeout(this.timer)
    this.query = query
    this.asked++
    this.next = undefined
    if (!query.words.trim()) {
      this.hits = []
      this.answered = this.busy = false
      this.refused = undefined
      return this.changed()
    }
    this.timer = setTimeout(() => void this.ask(), at)
  }

  /** Brings the page before the hits. */
  async page(): Promise<void> {
    if (this.next !== undefined && !this.busy) await this.ask(this.next)
  }

  private async ask(before?: string): Promise<void> {
    const mine = ++this.asked
    const began = performance.now()
    const { words, group, from } = this.query
    this.busy = true
    this.changed()
    try {
      let answer: Answer
      let at = before
      do { // a page that took the server long to fill may be empty, and not the last
        answer = await this.link.request<Answer>('search', { text: words.trim(), ...(group && { groupId: group }), ...(from && { from }), ...(at && { before: at }) })
        if (mine !== this.asked) return
        at = answer.before
      } while (!answer.hits.length && at)
      this.hits = before ? [...this.hits, ...answer.hits] : answer.hits
      this.next = answer.before
      this.answered = true
      this.refused = undefined
      if (!before) this.took = performance.now() - began
    } catch (err) {
      if (!(err instanceof Refusal)) throw err
      if (mine !== this.asked) return
      this.refused = err
    }
    this.busy = false
    this.changed()
  }
}

const spelled = /[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{N}’']/u // what is not cut within a word

/** A text cut at its marks, with enough around the first of them for one line, and without the signs of Markdown. */
export function excerpt({ message: { message: source }, marks }: Hit, around = 40): { text: string; hit: boolean }[] {
  const letters = [...source]
  const signs = signsIn(source)
  let unit = 0
  const plain = letters.map((letter) => {
    const at = unit
    unit += letter.length
    while (signs[0] && signs[0].to < at) signs.shift()
    return signs[0] && signs[0].from <= at ? '' : letter
  })
  const first = marks[0]?.[0] ?? 0
  let start = Math.max(0, first - around)
  const cut = start > 0 && spelled.test(letters[start - 1]!) && spelled.test(letters[start]!)
  while (cut && start < first && spelled.test(letters[start]!)) start++
  while (cut && start < first && /[\s\p{P}]/u.test(letters[start]!)) start++
  const parts: { text: string; hit: boolean }[] = start > 0 ? [{ text: '…', hit: false }] : []
  let at = start
  for (const [from, length] of marks) {
    if (from < at) continue
    parts.push({ text: plain.slice(at, from).join(''), hit: false }, { text: plain.slice(from, from + length).join(''), hit: true })
    at = from + length
  }
  parts.push({ text: plain.slice(at, at + 200).join(''), hit: false })
  return parts.map((p) => ({ ...p, text: p.text.replace(/\s+/g, ' ') })).filter((p) => p.text !== '')
}
