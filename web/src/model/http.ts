import { Refusal, type Code } from './protocol'

interface Refused {
  error?: { code: Code; message?: string; retryAfter?: number; suggestion?: string }
}

const patience = 10_000 // ms

/** Asks the server over HTTP, as who the cookie says; rejects with a Refusal, as a request over the socket does. */
export async function http<T>(method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE', path: string, payload?: object): Promise<T> {
  const request: RequestInit = { method, credentials: 'same-origin', signal: AbortSignal.timeout(patience) }
  if (payload) Object.assign(request, { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(payload) })
  let answer: Response
  try {
    answer = await fetch('/api/v1' + path, request)
  } catch {
    throw new Refusal('OFFLINE')
  }
  const body = (await answer.json().catch(() => ({}))) as T & Refused
  if (answer.ok) return body
  const { code, message, ...more } = body.error ?? { code: answer.status === 401 ? ('UNAUTHORIZED' as const) : ('INTERNAL' as const) }
  throw new Refusal(code, message, more)
}
