import { forget, recall, remember } from './memory'
import type { GroupId, JoinAnswer, UserId } from './protocol'

/** The newest rows of a group without a hole, and up to which number they are as the server had them. */
export type Newest = Pick<JoinAnswer, 'head' | 'messages' | 'before'>

/** What this browser keeps of a group that was open, so that it stands there at once when it is opened the next time. */
export interface Kept extends Newest {
  groupId: GroupId
  epoch: string
}

const mostGroups = 5
const longest = 100_000 // characters of a group's rows; five of them are a tenth of what a browser gives a site

const key = (me: UserId) => 'rows.' + me

/** Keeps the newest of a group instead of what was kept of it before; undefined takes it away. */
export function shelve(me: UserId, groupId: GroupId, kept: Omit<Kept, 'groupId'> | undefined): void {
  const others = all(me).filter((k) => k.groupId !== groupId)
  remember(key(me), (kept ? [{ groupId, ...fitted(kept) }, ...others] : others).slice(0, mostGroups))
}

export function unshelve(me: UserId, groupId: GroupId): Kept | undefined {
  return all(me).find((k) => k.groupId === groupId)
}

export function clearShelf(me: UserId): void {
  forget(key(me))
}

const all = (me: UserId) => recall<Kept[]>(key(me)) ?? []

/** As many of the rows, from the newest on, as are not too long together. */
function fitted<T extends Newest>(kept: T): T {
  let room = longest
  const from = kept.messages.findLastIndex((row) => (room -= JSON.stringify(row).length) < 0) + 1
  return from === 0 ? kept : { ...kept, messages: kept.messages.slice(from), before: true }
}
