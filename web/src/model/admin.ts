import { http } from './http'
import type { GroupId, Member, User, UserId } from './protocol'

// What administrators of the server ask, over HTTP; to everybody else it is as if there was none of it.

export interface Load {
  seconds: number
  connections: number[]
  messages: number[]
  deliveries: number[]
  cpu: number[]
  memory: number[]
}

export interface Overview {
  version: string
  now: string
  startedAt: string
  load: Load
  figures: {
    members: number
    bots: number
    guests: number
    groups: number
    reports: number
    databaseBytes: number
    fileBytes: number
    webhooks: { on: number; behind: number; failing: number; off: number }
    push: { devices: number; failing: number }
  }
}

export interface Account {
  user: User
  admin: boolean
  disabled: boolean
  devices: number
  seenAt?: string
}

export interface Link {
  url: string
  code: string
  expiresAt: string
}

export interface Listing {
  groupId: GroupId
  room?: string
  name: string
  avatar?: string
  visibility: 'open' | 'public' | 'private'
  slowMode: number
  mutedAll: boolean
  retention: number
  memberCount: number
  messages: number
  lastAt?: string
  owner?: UserId
  ownerName?: string
}

export interface Names {
  users: Record<UserId, string>
  groups: Record<GroupId, string>
}

export interface Reported {
  groupId: GroupId
  seq: number
  userId: UserId
  nickName: string
  message: string
  reports: { reason: string; userId?: UserId; createdAt: string }[]
  resolvedAt?: string
  resolvedBy?: UserId
  recalled?: boolean
  author?: Member
}

export type Verdict = 'dismiss' | 'recall' | 'mute' | 'kick' | 'ban'

export interface AuditEntry {
  number: number
  at: string
  act: string
  by?: UserId
  groupId?: GroupId
  target?: UserId
  value?: string
}

export interface AuditFilter {
  groupId?: string | undefined
  by?: string | undefined
  act?: string | undefined
  target?: string | undefined
  since?: string | undefined
  until?: string | undefined
}

export interface ServerSettings {
  name: string
  guests: 'open' | 'join' | 'off'
  registration: 'open' | 'invite' | 'off'
  retention: number
  messagesPerSecond: number
  uploadBytes: number
  editSeconds: number
  recallSeconds: number
}

export interface SettingsInForce {
  settings: ServerSettings
  changed: string[]
  fixed: Record<string, string>
}

const query = (what: object) => {
  const set = Object.entries(what).filter(([, value]) => value !== undefined && value !== '' && value !== false)
  return set.length > 0 ? '?' + new URLSearchParams(set.map(([key, value]) => [key, String(value)])).toString() : ''
}
const root = '/admin'

export const admin = {
  overview: () => http<Overview>('GET', root + '/overview'),
  users: (q: { search?: string; only?: string; cursor?: string | undefined }) => http<{ users: Account[]; next?: string }>('GET', root + '/users' + query(q)),
  change: (id: UserId, what: { admin?: boolean; disabled?: boolean }) => http<Account>('PATCH', `${root}/users/${id}`, what),
  reset: (id: UserId) => http<Link>('POST', `${root}/users/${id}/reset`),
  signOut: (id: UserId) => http('DELETE', `${root}/users/${id}/sessions`),
  remove: (id: UserId, erase: boolean) => http('DELETE', `${root}/users/${id}${query({ erase })}`),
  make: (username: string, nickName: string) => http<{ user: User; link: Link }>('POST', root + '/users', { username, ...(nickName && { nickName }) }),
  invite: (uses: number, days: number) => http<Link>('POST', root + '/invites', { uses, days }),
  makeBot: (nickName: string, scopes: string[]) => http<{ user: User; token: string }>('POST', '/me/bots', { nickName, scopes }),
  groups: (q: { search?: string; cursor?: string | undefined }) => http<{ groups: Listing[]; next?: string }>('GET', root + '/groups' + query(q)),
  members: (id: GroupId, search: string) => http<{ members: Member[]; cursor?: string }>('GET', `${root}/groups/${id}/members${query({ search, limit: 20 })}`),
  limit: (id: GroupId, what: { slowMode?: number; retention?: number; mutedAll?: boolean }) => http('PATCH', `${root}/groups/${id}`, what),
  giveOwner: (id: GroupId, userId: UserId) => http('PUT', `${root}/groups/${id}/owner`, { userId }),
  dissolve: (id: GroupId) => http('DELETE', `${root}/groups/${id}`),
  reports: (resolved: boolean) => http<{ reports: Reported[] } & Names>('GET', root + '/reports' + query({ resolved })),
  judge: (r: Reported, verdict: Verdict, until?: string) => http('POST', `${root}/reports/${r.groupId}/${r.seq}`, { verdict, ...(until && { until }) }),
  audit: (q: AuditFilter & { before?: number | undefined; limit?: number }) => http<{ entries: AuditEntry[]; more: boolean } & Names>('GET', root + '/audit' + query(q)),
  settings: () => http<SettingsInForce>('GET', root + '/settings'),
  setSettings: (what: Partial<ServerSettings> & { back?: string[] }) => http<SettingsInForce>('PATCH', root + '/settings', what),
  words: () => http<{ words: string[] }>('GET', root + '/words'),
  setWords: (list: string[]) => http<{ words: string[] }>('PUT', root + '/words', { words: list }),
}
