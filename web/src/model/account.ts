import { http } from './http'
import { Refusal, type User } from './protocol'

/** Who may make an account here. */
export type Registration = 'open' | 'invite' | 'off'

/** Who a browser is, and what it may become. */
export interface Standing {
  user: User | undefined
  /** May administer the server. */
  admin: boolean
  registration: Registration
  /** What the server is called; empty if it has no name but its address. */
  server: string
  /** Where other devices find this server, as far as it says. */
  address: string | undefined
}

/** What becomes somebody: a name alone, a password, or a code of another device. */
export type Entrance = { nickName: string } | { username: string; password: string } | { handoff: string }

/** A new account; a guest that makes one keeps its id, its messages and its groups. */
export interface NewAccount {
  username: string
  nickName?: string
  password: string
  /** The code, where an account needs one. */
  invite?: string
}

/** Account is who this browser is, over HTTP: the credential itself is a cookie that no script can read. */
export interface Account {
  /** Who the cookie speaks for. */
  who(): Promise<Standing>
  enter(by: Entrance): Promise<User>
  register(account: NewAccount): Promise<User>
  /** Makes the first administrator, with the code that the server printed. */
  setUp(account: NewAccount & { code: string }): Promise<User>
  leave(): Promise<void>
}

interface Body {
  user?: User | null
  admin?: boolean
  registration?: Registration
  server?: string
  address?: string
}

export class HttpAccount implements Account {
  async who(): Promise<Standing> {
    try {
      const { user, admin, registration, server, address } = await http<Body>('GET', '/session')
      return { user: user ?? undefined, admin: admin ?? false, registration: registration ?? 'off', server: server ?? '', address }
    } catch (err) {
      if (err instanceof Refusal && err.code === 'UNAUTHORIZED') return { user: undefined, admin: false, registration: 'off', server: '', address: undefined }
      throw err
    }
  }

  enter(by: Entrance): Promise<User> {
    return became(http<Body>('POST', '/session', by))
  }

  register(account: NewAccount): Promise<User> {
    return became(http<Body>('POST', '/users', account))
  }

  setUp(account: NewAccount & { code: string }): Promise<User> {
    return became(http<Body>('POST', '/setup', account))
  }

  async leave(): Promise<void> {
    await http('DELETE', '/session')
  }
}

async function became(answer: Promise<Body>): Promise<User> {
  const { user } = await answer
  if (!user) throw new Refusal('INTERNAL')
  return user
}
