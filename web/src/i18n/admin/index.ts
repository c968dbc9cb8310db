import { computed } from 'vue'
import { locale, type Locale } from '../index'
import { adminEn } from './en'
import { adminZhCN, type AdminCatalogue } from './zh-CN'

const catalogues: Record<Locale, AdminCatalogue> = { 'zh-CN': adminZhCN, en: adminEn }

/** The words of the administrators' area in the language of the app. */
export const words = computed(() => catalogues[locale.value])
