import { text } from '../i18n'
import type { Code } from '../model/protocol'
import { isNever, moment, number } from './time'

/** A refusal as its reader should see it. What the server said stands where we know nothing better. */
export function explain(refusal: { code: Code; message: string; until?: string | undefined; suggestion?: string | undefined }): string {
  const words = text.value
  switch (refusal.code) {
    case 'OFFLINE':
    case 'NO_ANSWER':
      return words.unreachable
    case 'PENDING':
      return words.pendingJoin
    case 'NAME_TAKEN':
      return refusal.suggestion ? words.nameTaken(refusal.suggestion) : refusal.message
    case 'MUTED':
      return refusal.until && !isNever(new Date(refusal.until)) ? words.mutedUntil(moment(new Date(refusal.until))) : words.mutedNow
    default:
      return refusal.message
  }
}

/** Why a message of mine was not taken. */
export function explainUnsent(failure: { code: Code; message: string; until?: string | undefined }, said: string, limit: number): string {
  const length = Array.from(said).length
  if (failure.code === 'TOO_LARGE' || length > limit) return text.value.tooLong(number(limit), number(length))
  const why = explain(failure)
  return why === failure.code ? text.value.notSent : why
}
