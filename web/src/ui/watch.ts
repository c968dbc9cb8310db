import { onScopeDispose, shallowRef, watch, type Ref } from 'vue'
import type { Watched } from '../model/watched'

/** A number that grows with every change of what source gives; read it to be computed again. */
export function useChanges(source: () => Watched | undefined): Ref<number> {
  const changes = shallowRef(0)
  watch(source, (watched, _, onCleanup) => {
    changes.value++
    if (watched) onCleanup(watched.watch(() => changes.value++))
  }, { immediate: true, flush: 'sync' })
  return changes
}

/** Whether the page is at least that wide. */
export function useWidth(pixels: number): Ref<boolean> {
  const query = matchMedia(`(min-width: ${pixels}px)`)
  const wide = shallowRef(query.matches)
  const look = () => (wide.value = query.matches)
  query.addEventListener('change', look)
  onScopeDispose(() => query.removeEventListener('change', look))
  return wide
}
