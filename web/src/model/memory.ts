// Small things this browser remembers. Where it may not (private windows, full disks), they live as long as the page.

const page = new Map<string, string>() // what could not be kept

export function recall<T>(key: string): T | undefined {
  const text = read('qun.' + key)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as T
  } catch {
    return undefined
  }
}

export function remember(key: string, value: unknown): void {
  const text = JSON.stringify(value)
  try {
    localStorage.setItem('qun.' + key, text)
    page.delete('qun.' + key)
  } catch {
    page.set('qun.' + key, text)
  }
}

export function forget(key: string): void {
  page.delete('qun.' + key)
  try {
    localStorage.removeItem('qun.' + key)
  } catch {
    // nothing was kept
  }
}

/** The keys that begin so. */
export function remembered(prefix: string): string[] {
  const keys = new Set(page.keys())
  try {
    for (const key of Object.keys(localStorage)) keys.add(key)
  } catch {
    // the page's own are all there are
  }
  return [...keys].filter((key) => key.startsWith('qun.' + prefix)).map((key) => key.slice('qun.'.length))
}

function read(key: string): string | undefined {
  if (page.has(key)) return page.get(key)
  try {
    return localStorage.getItem(key) ?? undefined
  } catch {
    return undefined
  }
}
