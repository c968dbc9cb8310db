import { text } from '../../i18n'
import type { UserId } from '../../model/protocol'
import type { Room } from '../../model/room'

/** Somebody who can be mentioned, or all at once. */
export interface Mentionable {
  id: UserId | 'all'
  name: string
  /** What else it is found by. */
  also?: string | undefined
  guest: boolean
}

/** The letters between an @ and the caret; undefined when the caret stands behind none. An @ within a word (a mail address) is none. */
export function wordAtCaret(source: string, caret: number): string | undefined {
  return /(?:^|[\s\p{P}\p{Script=Han}])@([^\s@]{0,32})$/u.exec(source.slice(0, caret))?.[1]
}

/** Whether I may call everybody here. */
export function everybody(room: Room): boolean {
  const role = room.group.me?.role
  return room.group.kind === 'group' && (role === 'owner' || role === 'admin')
}

/** Who of those that were chosen still stands in the text. */
export function mentionsIn(source: string, chosen: ReadonlyMap<string, string>): string[] | undefined {
  const ids = [...chosen].filter(([name]) => source.includes('@' + name)).map(([, id]) => id)
  return ids.length > 0 ? [...new Set(ids)] : undefined
}

/** Who can be mentioned, the likeliest first: those who spoke last. */
export function mentionables(room: Room, me: UserId | undefined, all: boolean): Mentionable[] {
  const spoke = new Map<UserId, number>()
  for (const row of room.log.all()) spoke.set(row.userId, row.seq)
  const people = [...room.people.values()]
    .filter((p) => p.here && p.userId !== me)
    .sort((a, b) => (spoke.get(b.userId) ?? 0) - (spoke.get(a.userId) ?? 0) || a.nickName.localeCompare(b.nickName))
    .map((p) => ({ id: p.userId, name: p.nickName, also: p.username, guest: p.guest }))
  return all ? [...people, { id: 'all', name: text.value.everybody, guest: false }] : people
}
