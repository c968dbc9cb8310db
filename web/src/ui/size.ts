import { locale } from '../i18n'

const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const

/** 18 kB, 2.3 MB, 5 字节 */
export function sizeOf(bytes: number): string {
  let unit = 0
  for (; bytes >= 1000 && unit < units.length - 1; unit++) bytes /= 1000
  return new Intl.NumberFormat(locale.value, { style: 'unit', unit: units[unit]!, unitDisplay: unit === 0 ? 'long' : 'short', maximumFractionDigits: bytes < 10 && unit > 0 ? 1 : 0 })
    .format(bytes).replace(/(?<=\d)(?=\p{Script=Han})/u, ' ')
}
