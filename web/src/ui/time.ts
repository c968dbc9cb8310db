import { locale, text } from '../i18n'

const day = 86_400_000 // ms

// Dates are put together here and in the catalogues: to make the browser's first format of a date takes as long as to
// render ten messages.

/** 15:58 */
export function clock(at: Date): string {
  return [at.getHours(), at.getMinutes()].map((n) => String(n).padStart(2, '0')).join(':')
}

/** 15:58, or on another day 20 Nov 15:58. */
export function moment(at: Date, now = new Date()): string {
  return daysAgo(at, now) === 0 ? clock(at) : `${text.value.date(at)} ${clock(at)}`
}

/** Whether a time that ends something is so far away that it means for good: the server says it as the year 9999. */
export const isNever = (at: Date): boolean => at.getFullYear() >= 9999

/** The day as a separator names it: 今天 · 11月19日 星期四, Today · Thursday 19 November. */
export function dayName(at: Date, now = new Date()): string {
  const date = text.value.dayOf(at, at.getFullYear() !== now.getFullYear())
  const ago = daysAgo(at, now)
  if (ago === 0) return `${text.value.today} · ${date}`
  if (ago === 1) return `${text.value.yesterday} · ${date}`
  return date
}

/** The time as the list of conversations shows it: a clock today, then yesterday, a weekday, a date. */
export function shortTime(at: Date, now = new Date()): string {
  const ago = daysAgo(at, now)
  if (ago <= 0) return clock(at)
  if (ago === 1) return text.value.yesterday
  return ago < 7 ? text.value.weekday(at) : text.value.date(at)
}

function daysAgo(at: Date, now: Date): number {
  const midnight = (d: Date) => new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime()
  return Math.round((midnight(now) - midnight(at)) / day)
}

/** 5 minutes ago, 3 hours ago, yesterday */
export function ago(at: Date, now = new Date()): string {
  const minutes = Math.round((at.getTime() - now.getTime()) / 60_000)
  const [n, unit] = minutes > -60 ? [Math.min(minutes, 0), 'minute' as const] : minutes > -24 * 60 ? [Math.round(minutes / 60), 'hour' as const] : [-Math.max(1, daysAgo(at, now)), 'day' as const]
  if (n === 0) return text.value.justNow
  return new Intl.RelativeTimeFormat(locale.value, { numeric: 'auto' }).format(n, unit).replace(/(\d)(?=\p{Script=Han})/u, '$1 ')
}

/** 8,000 */
export function number(n: number): string {
  return n.toLocaleString(locale.value)
}
