import { shallowReactive } from 'vue'
import { draftKey } from '../model/drafts'
import { forget, recall, remember } from '../model/memory'
import type { GroupId, UserId } from '../model/protocol'

// What stands in a composer and is not sent, per person and group. Kept in this browser.

const drafts = shallowReactive(new Map<string, string>())

export function draftOf(me: UserId | undefined, group: GroupId): string {
  if (!me) return ''
  const at = draftKey(me, group)
  const known = drafts.get(at)
  return known ?? recall<string>(at) ?? ''
}

export function keepDraft(me: UserId | undefined, group: GroupId, text: string): void {
  if (!me) return
  const at = draftKey(me, group)
  drafts.set(at, text)
  if (text) remember(at, text)
  else forget(at)
}
