import { computed, ref, watchEffect } from 'vue'
import { recall, remember } from '../model/memory'
import { en } from './en'
import { zhCN, type Catalogue } from './zh-CN'

export type Locale = 'zh-CN' | 'en'

const catalogues: Record<Locale, Catalogue> = { 'zh-CN': zhCN, en }

const chosen = recall<Locale>('locale')

/** The language of the app: as chosen here before, else as the browser's. */
export const locale = ref<Locale>(chosen ?? (/^zh\b/i.test(navigator.language) ? 'zh-CN' : 'en'))

/** The words in that language; templates use it as `text.key`. */
export const text = computed(() => catalogues[locale.value])

export function speak(language: Locale): void {
  locale.value = language
  remember('locale', language)
}

watchEffect(() => {
  document.documentElement.lang = locale.value
})
