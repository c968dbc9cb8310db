const time = 450 // ms
const slack = 10 // px a finger may tremble

/** Listeners that call act when a finger rests on something. A mouse has another way. */
export function useLongPress(act: () => void) {
  let timer: ReturnType<typeof setTimeout> | undefined
  let from = { x: 0, y: 0 }
  const end = () => clearTimeout(timer)
  return {
    pointerdown(e: PointerEvent) {
      if (e.pointerType === 'mouse') return
      from = { x: e.clientX, y: e.clientY }
      end()
      timer = setTimeout(act, time)
    },
    pointermove(e: PointerEvent) {
      if (Math.hypot(e.clientX - from.x, e.clientY - from.y) > slack) end()
    },
    pointerup: end,
    pointercancel: end,
  }
}
