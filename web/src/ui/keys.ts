import { onMounted, onUnmounted } from 'vue'

/** A key of the whole page, with what it does; mod is ⌘ on a Mac and Ctrl elsewhere. */
export interface Shortcut {
  key: string
  mod?: boolean
  alt?: boolean
  act: () => void
}

const mac = /Mac|iP/.test(navigator.platform)

/** How a key is written for the reader's machine. */
export const modName = mac ? '⌘' : 'Ctrl+'

/** Answers keys wherever the focus is; a bare letter only outside of fields and dialogs. */
export function useShortcuts(shortcuts: Shortcut[]): void {
  const hear = (e: KeyboardEvent) => {
    if (e.isComposing || e.defaultPrevented) return
    const mod = mac ? e.metaKey : e.ctrlKey
    const found = shortcuts.find((s) => s.key.toLowerCase() === e.key.toLowerCase() && (s.mod ?? false) === mod && (s.alt ?? false) === e.altKey)
    if (!found || (!found.mod && !found.alt && typing(e.target))) return
    if (document.querySelector('dialog[open]')) return
    e.preventDefault()
    found.act()
  }
  onMounted(() => addEventListener('keydown', hear))
  onUnmounted(() => removeEventListener('keydown', hear))
}

const typing = (target: EventTarget | null) => target instanceof HTMLElement && (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
