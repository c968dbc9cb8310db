import { forget, recall, remember, remembered } from './memory'
import type { GroupId, UserId } from './protocol'

// Where this browser keeps what stands in a composer: by person and group.

export const draftKey = (me: UserId, group: GroupId) => `draft.${me}.${group}`

/** A group's draft goes to another group. */
export function moveDraft(me: UserId, from: GroupId, to: GroupId): void {
  rename(draftKey(me, from), draftKey(me, to))
}

/** All drafts of one id of a person go to the person's new id. */
export function handDrafts(from: UserId, to: UserId): void {
  for (const key of remembered(`draft.${from}.`)) rename(key, key.replace(from, to))
}

function rename(from: string, to: string): void {
  const text = recall<string>(from)
  forget(from)
  if (text !== undefined) remember(to, text)
}
