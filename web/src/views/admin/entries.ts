import { text } from '../../i18n'
import { words } from '../../i18n/admin'
import type { AuditEntry, Names } from '../../model/admin'
import { sizeOf } from '../../ui/size'
import { isNever, moment } from '../../ui/time'

/** The name of who acted. */
export function wordActor(e: AuditEntry, names: Names): string {
  return e.by ? (names.users[e.by] ?? words.value.gone) : words.value.console
}

/** What was done, in a word. */
export const wordAct = (act: string) => words.value.acts[act] ?? act

/** What the entry says beside who, whom and where. */
export function wordValue(e: AuditEntry): string {
  const value = e.value ?? ''
  if (e.act === 'setting') {
    const [name = '', now] = value.split(/=(.*)/)
    const known = words.value.settingNames[name as keyof typeof words.value.settingNames] ?? name
    return now === undefined ? `${known} · ${words.value.giveBack}` : `${known} → ${wordSetting(name, now)}`
  }
  if (e.act === 'setWordList') return words.value.wordsCount(Number(value))
  if (e.act === 'setAdmin') return value === 'true' ? words.value.makeAdmin : words.value.unmakeAdmin
  if (e.act === 'recall' || e.act === 'resolveReports') return '#' + value
  if (e.act === 'invite' || e.act === 'revokeInvite') return '' // an id, which tells nobody anything
  if (e.act === 'role') return { owner: words.value.owner, admin: words.value.adminTag, member: words.value.memberTag }[value] ?? value
  if (e.act === 'visibility') return words.value.visibilities[value as 'open'] ?? value
  if (e.act === 'joining') return text.value.joinings[value as 'open'] ?? value
  if (e.act === 'history') return text.value.histories[value as 'all'] ?? value
  if (e.act === 'slowMode') return value === '0' ? words.value.off : words.value.seconds(Number(value))
  if (e.act === 'retention') return value === '0' ? words.value.asServer : words.value.keepDays(Number(value))
  if (!/^\d{4,5}-\d\d-\d\dT/.test(value)) return value
  return isNever(new Date(value)) ? words.value.spans.ever : moment(new Date(value))
}

/** The value of a setting as the settings show it. */
function wordSetting(name: string, value: string): string {
  switch (name) {
    case 'guests': return words.value.guestModes[value as 'open'] ?? value
    case 'registration': return words.value.registrationModes[value as 'open'] ?? value
    case 'uploadBytes': return sizeOf(Number(value))
    case 'retention': return value === '0' ? words.value.forEver : words.value.keepDays(Number(value))
    case 'editSeconds':
    case 'recallSeconds': return value === '0' ? words.value.forEver : words.value.seconds(Number(value))
  }
  return value
}

/** An entry on one line. */
export function wordEntry(e: AuditEntry, names: Names): string {
  const whom = e.target ? (names.users[e.target] ?? words.value.gone) : ''
  const where = e.groupId ? (names.groups[e.groupId] ?? words.value.gone) : ''
  const value = wordValue(e)
  return [wordActor(e, names), wordAct(e.act), whom, where, value === where ? '' : value].filter(Boolean).join(' · ')
}
