import { Refusal, type Code, type User } from './protocol'

/** Account is who this browser is, over HTTP: the credential itself is a cookie that no script can read. */
export interface Account {
  /** Who the cookie speaks for; undefined for nobody. */
  who(): Promise<User | undefined>
  /** Becomes a guest of that name. */
  enter(nickName: string): Promise<User>
  leave(): Promise<void>
}

interface Body {
  user?: User | null
  error?: { code: Code; message?: string; retryAfter?: number; suggestion?: string }
}

export class HttpAccount implements Account {
  async who(): Promise<User | undefined> {
    try {
      return (await call('GET')).user ?? undefined
    } catch (err) {
      if (err instanceof Refusal && err.code === 'UNAUTHORIZED') return undefined
      throw err
    }
  }

  async enter(nickName: string): Promise<User> {
    const { user } = await call('POST', { nickName })
    if (!user) throw new Refusal('INTERNAL')
    return user
  }

  async leave(): Promise<void> {
    await call('DELETE')
  }
}

async function call(method: string, payload?: object): Promise<Body> {
  const request: RequestInit = { method, credentials: 'same-origin', signal: AbortSignal.timeout(10_000) }
  if (payload) Object.assign(request, { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(payload) })
  let answer: Response
  try {
    answer = await fetch('/api/v1/session', request)
  } catch {
    throw new Refusal('OFFLINE')
  }
  const body = (await answer.json().catch(() => ({}))) as Body
  if (answer.ok) return body
  const { code, message, ...more } = body.error ?? { code: answer.status === 401 ? 'UNAUTHORIZED' : 'INTERNAL' }
  throw new Refusal(code, message, more)
}
