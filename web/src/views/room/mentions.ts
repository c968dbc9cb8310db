import { text } from '../../i18n'
import { mentionsIn, type Named } from '../../model/mentions'
import type { UserId } from '../../model/protocol'
import type { Room } from '../../model/room'

/** Somebody who can be mentioned, or all at once. */
export interface Mentionable {
  id: UserId | 'all'
  name: string
  /** What else it is found by. */
  also?: string | undefined
  guest: boolean
  bot?: boolean
  picture?: string | undefined
}

/** Whether I may call everybody here. */
export function everybody(room: Room): boolean {
  const role = room.group.me?.role
  return room.group.kind === 'group' && (role === 'owner' || role === 'admin')
}

/** Who can be mentioned, the likeliest first: those who spoke last. */
export function mentionables(room: Room, me: UserId | undefined, all: boolean): Mentionable[] {
  const spoke = new Map<UserId, number>()
  for (const row of room.log.all()) spoke.set(row.userId, row.seq)
  const people = [...room.people.values()]
    .filter((p) => p.here && p.userId !== me)
    .sort((a, b) => (spoke.get(b.userId) ?? 0) - (spoke.get(a.userId) ?? 0) || a.nickName.localeCompare(b.nickName))
    .map((p) => ({ id: p.userId, name: p.nickName, also: p.username, guest: p.guest, bot: p.bot, picture: p.avatar }))
  return all ? [...people, { id: 'all', name: text.value.everybody, guest: false }] : people
}

/** What everybody is called, whatever the language of who calls. */
export const everybodyNames = ['所有人', 'everybody', 'all']

/** Who is called by what I write: who was chosen, and whose name I wrote out. I am known, too, so that my name is not taken for the beginning of another's. */
export function calledBy(what: string, room: Room, me: UserId | undefined, chosen: ReadonlyMap<string, string>): string[] | undefined {
  if (!what.includes('@')) return undefined
  const people: Named[] = [...room.people.values()].filter((p) => p.here).map((p) => ({ id: p.userId === me ? undefined : p.userId, name: p.nickName }))
  const all = everybodyNames.map((name) => ({ id: everybody(room) ? 'all' as const : undefined, name }))
  return mentionsIn(what, chosen, [...people, ...all])
}

/** Under which names those can stand in a message whom it calls. */
export function namesOf(mentions: readonly string[], room: Room): string[] {
  return mentions.flatMap((id) => (id === 'all' ? everybodyNames : room.people.get(id)?.nickName ?? [])).sort((a, b) => b.length - a.length)
}
