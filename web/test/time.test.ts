import { expect, test, vi } from 'vitest'
import type { Locale } from '../src/i18n'

vi.stubGlobal('navigator', { language: 'en' })
vi.stubGlobal('document', { documentElement: {}, createElement: () => ({}) })
const { speak } = await import('../src/i18n')
const { clock, dayName, isNever, moment, shortTime } = await import('../src/ui/time')

const at = (text: string) => new Date(text) // in the zone of who reads

test.each<[Locale, string[]]>([
  ['zh-CN', ['今天 · 11月19日 星期四', '昨天 · 11月18日 星期三', '11月1日 星期日', '2025年9月6日 星期六', '08:05', '昨天', '周日', '9/6']],
  ['en', ['Today · Thursday 19 November', 'Yesterday · Wednesday 18 November', 'Sunday 1 November', 'Saturday 6 September 2025', '08:05', 'Yesterday', 'Sun', '6 Sep']],
])('times are told in %s', (language, expected) => {
  speak(language)
  const now = at('2026-11-19T23:30:00')
  expect([
    ...['2026-11-19T08:05:00', '2026-11-18T23:59:00', '2026-11-01T12:00:00', '2025-09-06T12:00:00'].map((t) => dayName(at(t), now)),
    clock(at('2026-11-19T08:05:00')),
    ...['2026-11-18T23:59:00', '2026-11-15T12:00:00', '2025-09-06T12:00:00'].map((t) => shortTime(at(t), now)),
  ]).toEqual(expected)
})

test('until when something holds is told with its day, unless that is today or never comes', () => {
  speak('en')
  const now = at('2026-11-19T23:30:00')
  expect(['2026-11-19T23:40:00', '2026-11-20T08:05:00'].map((t) => moment(at(t), now))).toEqual(['23:40', '20 Nov 08:05'])
  expect(['2027-01-01T00:00:00', '9999-12-31T23:59:59Z'].map((t) => isNever(at(t)))).toEqual([false, true])
})
