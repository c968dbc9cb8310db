// What a browser shows when it is called while nobody looks: by the server (Web Push), or by a page out of sight. Both
// say it alike, so that whichever comes first stands and the other renews it.

export type CallLocale = 'zh-CN' | 'en'

/** What the server says in a call. The last three are left out for who wants nothing of it on a locked screen. */
export interface Call {
  groupId: string
  /** The newest message. */
  seq: number
  /** How many there are since the last call. */
  count: number
  group?: string
  sender?: string
  text?: string
}

/** What a shown call keeps of itself, for the next one of its group and for a click. */
export interface Kept {
  seq: number
  count: number
  path: string
}

export interface Shown {
  title: string
  options: NotificationOptions & { renotify: boolean; tag: string; data: Kept }
}

/** Reads a call; whatever is none is a call of nothing in particular, for a browser that was called must say something. */
export function readCall(text: string | undefined): Partial<Call> {
  try {
    const said = JSON.parse(text ?? '') as Partial<Call> | null
    return said && typeof said === 'object' && typeof said.groupId === 'string' && typeof said.seq === 'number' ? said : {}
  } catch {
    return {}
  }
}

/** Whether what stands there says all of a call already: a page was faster. */
export function stands(call: Partial<Call>, before: Kept | undefined): boolean {
  return before !== undefined && call.seq !== undefined && before.seq >= call.seq
}

/** A call in words: one notification for each group, which the next call renews. */
export function show(call: Partial<Call>, before: Kept | undefined, locale: CallLocale): Shown {
  const words = catalogue[locale]
  const count = (before?.count ?? 0) + Math.max(1, call.count ?? 1)
  const said = call.text === undefined ? undefined : call.sender && call.group ? words.said(call.sender, call.text) : call.text
  const body = said === undefined ? words.fresh(count) : count > 1 ? `${said}\n${words.fresh(count)}` : said
  return {
    title: call.group || call.sender || 'Qun',
    options: {
      body,
      tag: call.groupId ?? 'qun',
      renotify: true,
      icon: '/icon-192.png',
      lang: locale,
      data: { seq: call.seq ?? 0, count, path: pathOf(call) },
    },
  }
}

/** Where a click leads: to the message, or just here. */
export function pathOf(call: Partial<Call>): string {
  if (!call.groupId) return '/'
  return `/g/${encodeURIComponent(call.groupId)}` + (call.seq ? `/${call.seq}` : '')
}

/** The page a click brings forward: the one in sight, else the one looked at last, which browsers name first. */
export function chooseWindow<W extends { focused: boolean; visibilityState: string }>(windows: readonly W[]): W | undefined {
  return windows.find((w) => w.focused) ?? windows.find((w) => w.visibilityState === 'visible') ?? windows[0]
}

export function localeOf(kept: string | undefined, language: string): CallLocale {
  if (kept === 'zh-CN' || kept === 'en') return kept
  return /^zh\b/i.test(language) ? 'zh-CN' : 'en'
}

interface Words {
  fresh(count: number): string
  said(who: string, what: string): string
}

const catalogue: Record<CallLocale, Words> = {
  'zh-CN': {
    fresh: (n) => (n === 1 ? '一条新消息' : `${n} 条新消息`),
    said: (who, what) => `${who}：${what}`,
  },
  en: {
    fresh: (n) => (n === 1 ? 'A new message' : `${n} new messages`),
    said: (who, what) => `${who}: ${what}`,
  },
}
