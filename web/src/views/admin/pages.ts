import { ref, shallowRef, watch, type Ref } from 'vue'
import { useDeed } from '../../ui/deed'

interface Page<T> {
  rows: T[]
  next: string | undefined
}

/** A list that is read page by page, and anew when what is asked for changes: after a moment, for somebody may be typing. */
export function usePages<T>(asked: () => unknown, read: (cursor?: string) => Promise<Page<T>>) {
  const rows: Ref<T[]> = shallowRef([])
  const next = ref<string>()
  const read_ = ref(false) // at least once
  const { busy, problem, run } = useDeed()
  let asks = 0

  async function load(more = false) {
    const ask = ++asks
    busy.value = false // the newest question counts
    await run(async () => {
      const page = await read(more ? next.value : undefined)
      if (ask !== asks) return
      rows.value = more ? [...rows.value, ...page.rows] : page.rows
      next.value = page.next
      read_.value = true
    })
  }
  let timer: ReturnType<typeof setTimeout> | undefined
  watch(asked, () => {
    clearTimeout(timer)
    timer = setTimeout(load, 200)
  })
  void load()
  return { rows, next, busy, problem, loaded: read_, load }
}
