import { ref } from 'vue'

/** Whether somebody looks at the page. */
export const attentive = ref(looking())

/** Whether the page can be seen, even if another window has the focus. */
export const visible = ref(document.visibilityState === 'visible')

function looking(): boolean {
  return document.visibilityState === 'visible' && document.hasFocus()
}

const look = () => {
  attentive.value = looking()
  visible.value = document.visibilityState === 'visible'
}
document.addEventListener('visibilitychange', look)
addEventListener('focus', look)
addEventListener('blur', look)

/** Calls back whenever the network or the reader may have come back. */
export function onReturn(act: () => void): void {
  addEventListener('online', act)
  addEventListener('focus', act)
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && act())
}
