import { ref } from 'vue'

/** Whether somebody looks at the page. */
export const attentive = ref(looking())

function looking(): boolean {
  return document.visibilityState === 'visible' && document.hasFocus()
}

const look = () => (attentive.value = looking())
document.addEventListener('visibilitychange', look)
addEventListener('focus', look)
addEventListener('blur', look)

/** Calls back whenever the network or the reader may have come back. */
export function onReturn(act: () => void): void {
  addEventListener('online', act)
  addEventListener('focus', act)
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && act())
}
