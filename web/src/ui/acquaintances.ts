import { chat } from '../app'
import type { Person } from '../model/room'

/** The members of the server that I share a group with, as far as I have met them. */
export function acquaintances(): Person[] {
  const met = new Map<string, Person>()
  for (const room of chat.list()) {
    for (const p of room.people.values()) if (p.member && !p.guest && p.userId !== chat.me?.userId) met.set(p.userId, p)
    const peer = room.group.me?.peer
    if (peer && !met.has(peer.userId)) met.set(peer.userId, { ...peer, member: true, here: true })
  }
  return [...met.values()]
}
