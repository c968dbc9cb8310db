import { onMounted, onUnmounted } from 'vue'

interface Watcher extends EventTarget { destroy(): void }
const Watcher = (window as { CloseWatcher?: new () => Watcher }).CloseWatcher

/** Closes what lies above the page when a phone's way back is taken, where the browser tells; dialogs hear it by themselves. */
export function useWayBack(close: () => void): void {
  let watcher: Watcher | undefined
  onMounted(() => {
    watcher = Watcher && new Watcher()
    watcher?.addEventListener('close', close)
  })
  onUnmounted(() => watcher?.destroy())
}
