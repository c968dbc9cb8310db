import { computed, ref } from 'vue'
import { isId } from '../model/ids'
import type { Group } from '../model/protocol'

const path = ref(location.pathname)
addEventListener('popstate', () => (path.value = location.pathname))

const parts = computed(() => /^\/g\/([^/]+)(?:\/(\d{1,15}))?\/?$/.exec(path.value))

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

/** Shows another page, as a new step of the browser's history or in place of the present one. */
export function go(to: string, inPlace = false): void {
  if (to === location.pathname) return
  if (inPlace) history.replaceState(null, '', to)
  else history.pushState(null, '', to)
  path.value = location.pathname
}

/** The page of a group: by its name where it has one that a path can carry. */
export function pathOf(group: Pick<Group, 'room' | 'groupId'>): string {
  return pathTo(group.room && !/^\.{1,2}$/.test(group.room) && !isId(group.room) ? group.room : group.groupId)
}

export function pathTo(name: string): string {
  return '/g/' + encodeURIComponent(name)
}

/** The whole address of a message, to be given to others. */
export function linkTo(group: Pick<Group, 'room' | 'groupId'>, seq: number): string {
  return `${location.origin}${pathOf(group)}/${seq}`
}
