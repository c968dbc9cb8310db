import type { Unsent } from './outbox'
import type { Attachment, Message, Row, UserId } from './protocol'
import type { Told } from './room'
import type { Outgoing } from './upload'

/** One thing of the timeline, from top to bottom. */
export type Item =
  | { kind: 'day'; key: string; at: Date }
  | { kind: 'new'; key: string }
  | { kind: 'line'; key: string; message: Message }
  | Said

/** A message as it is shown: somebody's row, or one of mine that is not sent yet. */
export interface Said {
  kind: 'said'
  key: string
  seq: number | undefined
  clientId: string | undefined
  mine: boolean
  userId: UserId
  nickName: string
  guest: boolean
  text: string
  at: Date
  edited: boolean
  replyTo: number | undefined
  files: readonly (Attachment | Outgoing)[]
  state: 'pending' | 'sent' | 'failed'
  row: Row | undefined
  unsent: Unsent | undefined
  /** Begins, or ends, a group: one sender, the same day, never five minutes between two, nothing in between. */
  first: boolean
  last: boolean
}

export interface Shown {
  rows: readonly Row[]
  told: readonly Told[]
  unsent: readonly Unsent[]
  me: { userId: UserId; nickName: string; guest: boolean } | undefined
  /** Where the "new messages" line stands: before the first message of somebody else after this seq. */
  newLine: number | undefined
}

const together = 5 * 60_000 // ms

/** Lays a timeline out. */
export function layout(shown: Shown): Item[] {
  const items: Item[] = []
  let day = ''
  let marked = shown.newLine === undefined
  const begin = (at: Date) => {
    if (at.toDateString() === day) return
    day = at.toDateString()
    items.push({ kind: 'day', key: 'day-' + day, at })
  }
  const mark = (seq: number, mine: boolean) => {
    if (marked || mine || seq <= shown.newLine!) return
    marked = true
    items.push({ kind: 'new', key: 'new' })
  }
  const told = [...shown.told]
  const tell = (before: number) => {
    while (told[0] && told[0].after < before) {
      const { key, message } = told.shift()!
      begin(new Date(message.sentAt))
      items.push({ kind: 'line', key, message })
    }
  }
  const from = shown.rows[0]?.seq ?? 0
  while (told[0] && told[0].after < from) told.shift()
  for (const row of shown.rows) {
    tell(row.seq)
    const at = new Date(row.sentAt)
    const mine = row.userId === shown.me?.userId
    begin(at)
    if (row.kind === 'system' || row.kind === 'join' || row.kind === 'notice' || row.recalledAt) {
      items.push({ kind: 'line', key: 'seq-' + row.seq, message: row })
      continue
    }
    mark(row.seq, mine)
    items.push(saidBy(row, at, mine))
  }
  tell(Infinity)
  for (const unsent of shown.unsent) {
    if (shown.rows.some((row) => row.clientId === unsent.clientId)) continue // left over from a page that ended between the answer and forgetting it
    begin(new Date(unsent.at))
    items.push(saidByMe(unsent, shown.me))
  }
  return group(items)
}

function saidBy(row: Row, at: Date, mine: boolean): Said {
  return {
    kind: 'said',
    key: mine && row.clientId ? 'mine-' + row.clientId : 'seq-' + row.seq, // a pending row becomes sent in place
    seq: row.seq, clientId: row.clientId, mine, userId: row.userId, nickName: row.nickName, guest: row.guest,
    text: row.kind === 'file' && row.files ? '' : row.message, at, edited: row.editedAt !== undefined, replyTo: row.replyTo, files: row.files ?? [], state: 'sent', row, unsent: undefined, first: true, last: true,
  }
}

function saidByMe(unsent: Unsent, me: Shown['me']): Said {
  return {
    kind: 'said', key: 'mine-' + unsent.clientId, seq: undefined, clientId: unsent.clientId, mine: true,
    userId: unsent.userId, nickName: me?.nickName ?? '', guest: me?.guest ?? false,
    text: unsent.text, at: new Date(unsent.at), edited: false, replyTo: unsent.replyTo, files: unsent.files ?? [], state: unsent.state, row: undefined, unsent, first: true, last: true,
  }
}

function group(items: Item[]): Item[] {
  let before: Said | undefined
  for (const item of items) {
    if (item.kind !== 'said') {
      before = undefined
      continue
    }
    if (before && before.userId === item.userId && item.at.getTime() - before.at.getTime() < together) {
      item.first = false
      before.last = false
    }
    before = item
  }
  return items
}
