import { computed, ref } from 'vue'
import { isId } from '../model/ids'
import type { Group } from '../model/protocol'

const path = ref(location.pathname)
addEventListener('popstate', () => (path.value = location.pathname))

/** The address in /g/<address>: a room's name or a group's id. Undefined elsewhere. */
export const address = computed(() => {
  const found = /^\/g\/([^/]+)\/?$/.exec(path.value)?.[1]
  if (found === undefined) return undefined
  try {
    return decodeURIComponent(found)
  } catch {
    return found
  }
})

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
