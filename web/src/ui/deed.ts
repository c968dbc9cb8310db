import { ref } from 'vue'
import { Refusal } from '../model/protocol'
import { explain } from './refusals'

/** A thing that is asked of the server from a view: whether it is under way, and why it was refused. */
export function useDeed() {
  const busy = ref(false)
  const problem = ref('')

  /** Does it, one at a time; false when it was refused. */
  async function run(act: () => Promise<unknown>): Promise<boolean> {
    if (busy.value) return false
    busy.value = true
    problem.value = ''
    try {
      await act()
      return true
    } catch (err) {
      if (!(err instanceof Refusal)) throw err
      problem.value = explain(err)
      return false
    } finally {
      busy.value = false
    }
  }
  return { busy, problem, run }
}
