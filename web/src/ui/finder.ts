// Finding people and rooms by what one types: a part of the name, or its pinyin, whole or by initials. The table of
// pinyin is large, so it is fetched when somebody first looks for somebody.

/** Whether a thing that is called these names is meant by what was typed. */
export type Finder = (typed: string, ...names: (string | undefined)[]) => boolean

let made: Promise<Finder> | undefined

export function finder(): Promise<Finder> {
  return (made ??= make())
}

const fold = (s: string) => s.normalize('NFKC').toLowerCase()

async function make(): Promise<Finder> {
  const match = await import('pinyin-pro').then((m) => m.match, () => undefined) // without the table names are still found
  return (typed, ...names) => {
    const wanted = fold(typed).replace(/\s+/g, '')
    if (!wanted) return true
    return names.some((name) => {
      if (!name) return false
      const known = fold(name)
      if (known.replace(/\s+/g, '').includes(wanted)) return true
      return /^[a-z]+$/.test(wanted) && /\p{Script=Han}/u.test(known) && match?.(known, wanted, { precision: 'start' }) != null
    })
  }
}
