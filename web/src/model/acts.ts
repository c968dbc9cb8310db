import type { GroupId, Row, RowAnswer } from './protocol'
import type { Room } from './room'
import type { Link } from './wire'

// What can be done to a message that is kept. Each says the state that is wanted, so asking twice does no harm; the
// answer is the row as it is now, and the room takes it at once instead of waiting for the push.

export function edit(link: Link, room: Room, seq: number, message: string, mentions?: string[]): Promise<void> {
  return act(link, room, 'editMessage', { seq, message, ...(mentions && { mentions }) })
}

export async function recall(link: Link, room: Room, row: Row): Promise<void> {
  if (row.kind === 'text') room.keepRecalled(row.seq, row.message) // before the row comes back empty
  await act(link, room, 'recallMessage', { seq: row.seq })
}

export function pin(link: Link, room: Room, seq: number, on: boolean): Promise<void> {
  return act(link, room, 'pin', { seq, on })
}

export function removePreview(link: Link, room: Room, seq: number): Promise<void> {
  return act(link, room, 'removePreview', { seq })
}

/** Shows the reaction at once; it is taken back when the server refuses. */
export async function react(link: Link, room: Room, seq: number, emoji: string, on: boolean): Promise<void> {
  room.wish(seq, emoji, on)
  try {
    await act(link, room, 'react', { seq, emoji, on })
  } finally {
    room.wish(seq, emoji, undefined)
  }
}

/** Says a message of this room again in another one. */
export async function forward(link: Link, from: Room, seq: number, to: GroupId, clientId: string): Promise<void> {
  await link.request('forward', { groupId: from.id, seq, to, clientId })
}

async function act(link: Link, room: Room, event: string, what: object): Promise<void> {
  const { message } = await link.request<RowAnswer>(event, { groupId: room.id, ...what })
  room.take(message)
}

/** Whether I may do a thing to this row; the server has the last word. */
export function may(what: 'edit' | 'recall' | 'pin', row: Row, room: Room, me: string | undefined): boolean {
  const mine = row.userId === me
  const role = room.group.me?.role
  const governs = role === 'owner' || role === 'admin'
  switch (what) {
    case 'edit': return mine && row.kind === 'text'
    case 'recall': return mine || governs
    case 'pin': return room.group.kind === 'direct' || governs
  }
}
