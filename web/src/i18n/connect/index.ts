import { computed } from 'vue'
import { locale, type Locale } from '../index'
import { connectEn } from './en'
import { connectZhCN, type ConnectCatalogue } from './zh-CN'

const catalogues: Record<Locale, ConnectCatalogue> = { 'zh-CN': connectZhCN, en: connectEn }

/** The words of programs in a group, in the language of the app. */
export const words = computed(() => catalogues[locale.value])
