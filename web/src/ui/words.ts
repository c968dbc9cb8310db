import { text } from '../i18n'
import { oneLine } from '../model/plain'
import type { Message, Presence, UserId } from '../model/protocol'
import type { Room } from '../model/room'
import { isImage } from '../model/upload'
import { ago } from './time'

/** A line of the timeline that nobody said, worded in the reader's language. */
export function wordLine(message: Message, me: UserId | undefined, room: Room): string {
  if (message.recalledAt) return message.userId === me ? text.value.recalledMine : text.value.recalled(message.nickName)
  if (message.kind === 'join' || message.system?.act === 'join') return text.value.joined(message.nickName)
  if (!message.system) return message.message
  const { act, by, target, value } = message.system
  const name = (id: UserId | undefined) => (id === undefined ? undefined : room.nameOf(id))
  return text.value.systemLine(act, { by: name(by), target: name(target), value, plain: message.message })
}

/** What a message says, in one line of plain words. */
export function wordSaid(message: Message): string {
  if (message.recalledAt) return text.value.recalled(message.nickName)
  return message.kind === 'file' && message.files ? wordFiles(message.files) : oneLine(message.message)
}

function wordFiles(files: readonly { name: string; type: string }[]): string {
  return files.map((f) => text.value.fileLine(isImage(f), f.name)).join(' ')
}

/** A message in one line of plain words, as the list of conversations shows it and as it is read aloud. */
export function wordLast(message: Message, me: UserId | undefined, room: Room): string {
  if (message.recalledAt || message.kind === 'join' || message.kind === 'system') return wordLine(message, me, room)
  const what = wordSaid(message)
  return message.userId === me || room.group.kind === 'direct' ? what : text.value.said(message.nickName, what)
}

/** The line under a room's name: how many people it has. */
export function wordPeople(room: Room): string {
  const count = room.size
  const kind = room.group.visibility === 'open' ? text.value.openRoom : undefined
  return [count > 0 ? text.value.people(count) : undefined, kind].filter(Boolean).join(' · ')
}

/** Whether somebody is here, or since when not; nothing where nobody knows. */
export function wordPresence(presence: Presence | undefined, seenAt: number | undefined): string {
  if (presence === 'online') return text.value.online
  if (presence === 'away') return text.value.away
  if (presence !== 'offline') return ''
  return seenAt === undefined ? text.value.offline : text.value.lastSeen(ago(new Date(seenAt)))
}
