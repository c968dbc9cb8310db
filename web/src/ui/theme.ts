import { ref, watchEffect } from 'vue'
import { recall, remember } from '../model/memory'

export type Theme = 'light' | 'dark' | 'system'

export const theme = ref<Theme>(recall<Theme>('theme') ?? 'system')

export function dress(as: Theme): void {
  theme.value = as
  remember('theme', as)
}

const night = matchMedia('(prefers-color-scheme: dark)')
const system = ref(night.matches)
night.addEventListener('change', () => (system.value = night.matches))

// theme.js has done the same before the first paint.
watchEffect(() => {
  const dark = theme.value === 'dark' || (theme.value === 'system' && system.value)
  document.documentElement.dataset.theme = dark ? 'dark' : 'light'
  document.querySelector<HTMLMetaElement>('meta[name=theme-color]')!.content = dark ? '#161A19' : '#FFFEFB'
})
