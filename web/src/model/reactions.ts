import type { Reaction, Row, UserId } from './protocol'

/** A reaction as I see it. */
export interface Shown {
  emoji: string
  count: number
  mine: boolean
}

/** What I asked for and the server has not answered yet: by emoji, whether I want it there. */
export type Wishes = ReadonlyMap<string, boolean>

/**
 * A push is the same for everybody, so it does not say which reactions are mine: where it names all who reacted, it can
 * be seen; where there are more, what the row said before still holds.
 */
export function carry(row: Row, before: Row | undefined, me: UserId | undefined): Row {
  if (!row.reactions?.some((r) => r.mine === undefined)) return row
  const reactions = row.reactions.map((r) => ({ ...r, mine: r.mine ?? isMine(r, before, me) }))
  return { ...row, reactions }
}

function isMine(r: Reaction, before: Row | undefined, me: UserId | undefined): boolean {
  if (me !== undefined && r.userIds.includes(me)) return true
  if (r.userIds.length === r.count) return false
  return before?.reactions?.find((old) => old.emoji === r.emoji)?.mine ?? false
}

/** The reactions of a row with what I wished, as if it had been granted. */
export function withWishes(row: Row, wishes: Wishes | undefined): Shown[] {
  const shown: Shown[] = (row.reactions ?? []).map(({ emoji, count, mine }) => ({ emoji, count, mine: mine ?? false }))
  for (const [emoji, on] of wishes ?? []) {
    const known = shown.find((r) => r.emoji === emoji)
    if (!known) {
      if (on) shown.push({ emoji, count: 1, mine: true })
    } else if (known.mine !== on) {
      known.mine = on
      known.count += on ? 1 : -1
    }
  }
  return shown.filter((r) => r.count > 0)
}
