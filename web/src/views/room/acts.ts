/** What the menu of a message offers. */
export type Act = 'reply' | 'edit' | 'recall' | 'copy' | 'link' | 'forward' | 'pin' | 'readBy' | 'mention' | 'report'

/** The reactions that are one tap away. */
export const quick = ['👍', '🎉', '❤️', '👀', '😄'] as const

/** The act of a key pressed on a message. */
export const actOfKey: Record<string, Act> = { r: 'reply', e: 'edit', Backspace: 'recall', Delete: 'recall', c: 'copy', l: 'link' }

/** Where a message stands: as wide as what was said, and as high as the whole row, the name included. */
export function rectOf(said: Element): DOMRect {
  const { left, width, bottom } = said.getBoundingClientRect()
  const top = said.closest('article')!.getBoundingClientRect().top
  return new DOMRect(left, top, width, bottom - top)
}
