import { onMounted, type ShallowRef } from 'vue'

/** Opens a dialog above everything as soon as it is there: the browser keeps the focus in it, and Escape closes it. */
export function useModal(dialog: Readonly<ShallowRef<HTMLDialogElement | null>>): void {
  onMounted(() => dialog.value?.showModal())
}
