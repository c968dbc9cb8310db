import { onMounted, onUnmounted, type ShallowRef } from 'vue'

/**
 * Opens a dialog above everything as soon as it is there: the browser keeps the focus in it, and Escape closes it. When it
 * goes, the focus is where it was before; a dialog that is taken out of the page does not see to that itself.
 */
export function useModal(dialog: Readonly<ShallowRef<HTMLDialogElement | null>>): void {
  let before: Element | null
  onMounted(() => {
    before = document.activeElement
    dialog.value?.showModal()
  })
  onUnmounted(() => {
    if (before instanceof HTMLElement && document.activeElement === document.body) before.focus({ preventScroll: true })
  })
}
