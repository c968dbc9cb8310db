import { computed, ref } from 'vue'
import { isId } from '../model/ids'
import type { Group } from '../model/protocol'

const here = () => location.pathname + location.search + location.hash
const path = ref(here())
addEventListener('popstate', () => (path.value = here()))
addEventListener('hashchange', () => (path.value = here()))

const parts = computed(() => /^\/g\/([^/?#]+)(?:\/(\d{1,15}))?\/?(?:[?#]|$)/.exec(path.value))

/** The address in /g/<address>: a room's name or a group's id. Undefined elsewhere. */
export const address = computed(() => {
  const found = parts.value?.[1]
  if (found === undefined) return undefined
  try {
    return decodeURIComponent(found)
  } catch {
    return found
  }
})

/** The message in /g/<address>/<seq>. */
export const place = computed(() => (parts.value?.[2] ? Number(parts.value[2]) : undefined))

/** The invitation in /i/<token>. */
export const invited = computed(() => /^\/i\/([\w-]{1,64})\/?(?:[?#]|$)/.exec(path.value)?.[1])

/** What is to be done with an account at /account#<what>=<code>; the code stands behind the #, where no server sees it. */
export const account = computed(() => {
  const [page, code = ''] = path.value.split('#')
  if (page !== '/account') return undefined
  const [what, value] = code.split('=')
  const known = (['setup', 'invite', 'reset', 'handoff'] as const).find((kind) => kind === what)
  return { what: known, code: known ? decodeURIComponent(value ?? '') : '' }
})

/** What is searched for at /search?q=<words>&in=<group>. */
export const search = computed(() => {
  const [at, query = ''] = path.value.split('#')[0]!.split('?')
  if (at !== '/search') return undefined
  const asked = new URLSearchParams(query)
  return { words: asked.get('q') ?? '', group: asked.get('in') ?? undefined }
})

/** The part of the administrators' area at /admin/<part>; "" at /admin itself, undefined elsewhere. */
export const section = computed(() => /^\/admin(?:\/([a-z]*))?\/?(?:[?#]|$)/.exec(path.value)?.slice(1).map((part) => part ?? '')[0])

/** What lies over a page that fills the screen, at <page>#info or <page>#me: the way back leads out of it, not of the page. */
export const over = computed(() => (['info', 'me'] as const).find((layer) => path.value.endsWith('#' + layer)))

const beneath = () => here().split('#')[0]!

/** Lays something over the present page. */
export const cover = (layer: 'info' | 'me'): void => go(beneath() + '#' + layer)

/** Takes it away again. */
export const uncover = (): void => back(beneath())

export function pathToSearch(words: string, group?: string): string {
  return '/search?' + new URLSearchParams({ q: words, ...(group && { in: group }) }).toString()
}

/** Shows another page, as a new step of the browser's history or in place of the present one. */
export function go(to: string, inPlace = false): void {
  if (to === here()) return
  if (inPlace) history.replaceState(history.state, '', to)
  else history.pushState({ from: here() }, '', to)
  path.value = here()
}

/** Leaves for the page that this one lies on, as the browser's way back does where it leads there: its history has no loops. */
export function back(to: string = history.state?.from ?? '/'): void {
  if (history.state?.from === to) history.back()
  else go(to, true)
}

/** The page of a group, by its name where it has one that a path can carry; at a message, if one is named. */
export function pathOf(group: Pick<Group, 'room' | 'groupId'>, seq?: number): string {
  const page = pathTo(group.room && !/^\.{1,2}$/.test(group.room) && !isId(group.room) ? group.room : group.groupId)
  return seq === undefined ? page : `${page}/${seq}`
}

export function pathTo(name: string): string {
  return '/g/' + encodeURIComponent(name)
}

/** The whole address of a message, to be given to others. */
export function linkTo(group: Pick<Group, 'room' | 'groupId'>, seq: number): string {
  return location.origin + pathOf(group, seq)
}
