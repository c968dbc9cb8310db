import { chat } from '../app'
import type { Member, UserId } from '../model/protocol'
import type { Person, Room } from '../model/room'

const mostRooms = 20 // that are asked for their members
const atOnce = 100 // members, in one answer or one question
const few = 5

interface Which { search?: string; limit?: number; userIds?: UserId[] }

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

/** Asks the server for members of my newest groups whose name begins so, a few of each. */
export async function lookFor(name: string): Promise<Member[]> {
  return [...(await membersOfAll(chat.list(), { limit: few, search: name })).values()]
}

/**
 * Asks the server whom I could bring into a room, or into one that is yet to be made: people of my newest other groups who are
 * not in it. Of large groups these are the first hundred, or the first of those whose name begins so.
 */
export async function candidates(room: Room | undefined, name: string): Promise<Member[]> {
  const known = await membersOfAll(chat.list().filter((r) => r !== room), { limit: atOnce, ...(name && { search: name }) })
  for (const m of known.values()) if (m.bot) known.delete(m.userId)
  if (room) for (const userIds of slices([...known.keys()])) {
    for (const m of await membersOf(room, { userIds })) if (m.state === 'active') known.delete(m.userId)
  }
  return [...known.values()]
}

/** Members of the first of these rooms that I am a member of, each once, without guests and me. */
async function membersOfAll(rooms: Room[], which: Which): Promise<Map<UserId, Member>> {
  const mine = rooms.filter((r) => !r.gone && r.group.me?.role).slice(0, mostRooms)
  const known = new Map<UserId, Member>()
  for (const m of (await Promise.all(mine.map((r) => membersOf(r, which)))).flat()) if (!m.guest && m.userId !== chat.me?.userId) known.set(m.userId, m)
  return known
}

async function membersOf(room: Room, which: Which): Promise<Member[]> {
  return (await chat.request<{ members: Member[] }>('members', { groupId: room.id, ...which })).members
}

function slices<T>(all: T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / atOnce) }, (_, i) => all.slice(i * atOnce, (i + 1) * atOnce))
}
