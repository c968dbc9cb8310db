import { locale } from '../../i18n'
import { clock } from '../../ui/time'

/** 11月19日 15:58, 19 Nov 15:58; with the year, if it is another. */
export function dayAndTime(at: string): string {
  const date = new Date(at)
  const far = date.getFullYear() !== new Date().getFullYear()
  return date.toLocaleDateString(locale.value === 'en' ? 'en-GB' : locale.value, { day: 'numeric', month: locale.value === 'en' ? 'short' : 'long', ...(far && { year: 'numeric' }) }) + ' ' + clock(date)
}

/** 2026-11-19 */
export const day = (at: string) => new Date(at).toLocaleDateString('sv')
