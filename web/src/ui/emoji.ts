import english from 'emoji-picker-element-data/en/cldr/data.json?url'
import chinese from 'emoji-picker-element-data/zh/cldr/data.json?url'
import { recall, remember } from '../model/memory'

// All emoji with their names in the reader's language: a file that is fetched when somebody first looks for one.

export interface Emoji {
  emoji: string
  /** What it is called. */
  annotation: string
  tags?: string[]
  group: number
  version: number
}

const newest = 14 // a later one is a box on many machines
const components = 2 // the group of skin tones and hair, which are no emoji
const remembered = 24

const loaded = new Map<string, Promise<Emoji[]>>()

export function emojiIn(locale: string): Promise<Emoji[]> {
  const url = locale === 'zh-CN' ? chinese : english
  let list = loaded.get(url)
  if (!list) {
    list = fetch(url).then((answer) => answer.json() as Promise<Emoji[]>).then((all) => all.filter((e) => e.version <= newest && e.group !== components))
    list.catch(() => loaded.delete(url)) // the next one who looks tries again
    loaded.set(url, list)
  }
  return list
}

/** What was chosen before, newest first. */
export function recentEmoji(): string[] {
  return recall<string[]>('emoji') ?? []
}

export function rememberEmoji(emoji: string): void {
  remember('emoji', [emoji, ...recentEmoji().filter((e) => e !== emoji)].slice(0, remembered))
}
