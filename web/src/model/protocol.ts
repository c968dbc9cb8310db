// The shapes of the wire, as docs/protocol.md gives them. Times are RFC 3339 in UTC; seq, rev and head count from 1.

export type GroupId = string
export type UserId = string

export interface Message {
  id: string
  groupId: GroupId
  /** The address in the group. Absent on lines that are told and not kept. */
  seq?: number
  rev?: number
  room?: string
  userId: UserId
  nickName: string
  guest: boolean
  kind: 'text' | 'file' | 'join' | 'system' | 'notice'
  message: string
  clientId?: string
  replyTo?: number
  /** User ids, or "all". */
  mentions?: string[]
  files?: Attachment[]
  reactions?: Reaction[]
  /** Of the first link; it comes later, as a change. */
  preview?: Preview
  system?: { act: string; by: UserId; target?: UserId; value?: string }
  pinnedAt?: string
  editedAt?: string
  recalledAt?: string
  sentAt: string
}

/** One emoji under a message. */
export interface Reaction {
  emoji: string
  count: number
  /** The first who reacted, at most 50. */
  userIds: UserId[]
  /** In answers to me alone; a push is the same for everybody. */
  mine?: boolean
}

/** What a link leads to, in the words of its page. */
export interface Preview {
  url: string
  site: string
  title: string
  description?: string
  picture?: Attachment
}

/** A file as a message carries it. */
export interface Attachment {
  fileId: string
  name: string
  size: number
  type: string
  width?: number
  height?: number
  url: string
  thumbUrl?: string
}

/** A message that is kept: it has an address and a revision. */
export type Row = Message & { seq: number; rev: number }

export interface User {
  userId: UserId
  nickName: string
  username?: string
  avatar?: string
  guest: boolean
  bot: boolean
  presence?: Presence
  createdAt?: string
}

export type Role = 'owner' | 'admin' | 'member'

export type Presence = 'online' | 'away' | 'offline'

/** What my apps keep of me on the server. */
export type Settings = {
  /** Whether what was said stands in a call of a browser that nobody looks at; absent is yes. */
  pushPreview?: boolean
}

export interface Member {
  groupId: GroupId
  userId: UserId
  rev: number
  nickName: string
  groupNick?: string
  username?: string
  avatar?: string
  role: Role
  mutedUntil?: string | undefined
  guest: boolean
  bot: boolean
  state: 'active' | 'left' | 'kicked' | 'banned'
}

export interface Membership {
  role: Role
  groupNick?: string
  readSeq: number
  unread: number
  mentioned: number
  notify?: 'all' | 'mentions' | 'nothing'
  pinned?: boolean
  mutedUntil?: string
  /** The other one of a conversation of two. */
  peer?: User
}

export interface Group {
  groupId: GroupId
  room?: string
  name: string
  topic?: string
  announcement?: string
  avatar?: string
  kind: 'group' | 'direct'
  visibility: 'open' | 'public' | 'private'
  joining?: 'open' | 'approval' | 'invite'
  history?: 'all' | 'joined'
  /** Seconds between two messages of a member. */
  slowMode?: number
  mutedAll?: boolean
  memberCount: number
  head: number
  floor?: number
  rev: number
  createdAt?: string
  me?: Membership
}

/** How somebody came out of a group. */
export type Gone = 'left' | 'kicked' | 'banned' | 'dissolved'

/** A group as who is not in it may know it. */
export interface Card {
  groupId: GroupId
  room?: string
  name: string
  avatar?: string
  joining: 'open' | 'approval' | 'invite'
  memberCount: number
}

/** What an invitation leads to, for who holds it. */
export interface Invitation {
  group: { groupId: GroupId; name: string; topic?: string; avatar?: string; memberCount: number }
  inviter: { nickName: string; avatar?: string }
  /** Guests come in by it, too. */
  guests: boolean
}

export interface JoinAnswer {
  epoch: string
  head: number
  group: Group
  me: User
  messages: Row[]
  /** There is more before these. */
  before: boolean
}

export interface HistoryAnswer {
  head: number
  messages: Row[]
  before: boolean
  after: boolean
}

export interface SyncedGroup {
  head: number
  latest: number
  messages?: Row[]
  members?: Member[]
  group?: Group
  more?: boolean
  reset?: boolean
  gone?: Gone
}

export interface SyncAnswer {
  epoch: string
  groups: Record<GroupId, SyncedGroup>
}

export interface HelloAnswer {
  epoch: string
  /** Null for nobody: the credential was none, or a stale cookie. */
  me: User | null
  /** Of my own counter. */
  head?: number
  limits?: Partial<Limits>
  settings?: Settings
  /** Whom I block. */
  blocked?: UserId[]
  groups: (Group & { lastMessage?: Row; draft?: string })[]
  sync?: SyncAnswer
}

export interface Limits {
  /** Longest message, in code points. */
  messageLength: number
  /** Largest file, in bytes; 0 is no limit. */
  upload: number
}

export interface ReadAnswer {
  readSeq: number
  unread: number
  mentioned: number
}

/** The answer of an act on a message: its row as it is now, for me. */
export interface RowAnswer {
  message: Row
}

export interface PresenceAnswer {
  online: UserId[]
  /** Those of online who have had the chat out of sight for a while. */
  away?: UserId[]
  /** When members who are offline were here last. */
  seen?: Record<UserId, string>
}

/** Somebody came, went, or looks elsewhere; it may be lost. */
export interface PresencePush {
  userId: UserId
  presence: Presence
}

export interface ReadsAnswer {
  seqs: Record<UserId, number>
}

/** How far members of a small group have read; it may be lost. */
export interface ReadPush {
  groupId: GroupId
  seqs: Record<UserId, number>
}

/** Somebody is writing; it may be lost. */
export interface TypingPush {
  groupId: GroupId
  userId: UserId
  nickName: string
}

/** A numbered push: a new message, or a change of a message, a member or the group itself. */
export interface Change {
  groupId: GroupId
  head: number
  kind?: 'message' | 'member' | 'group'
  /** The message that changed, where its row may not be shown to all who hear of it. */
  seq?: number
  message?: Row
  member?: Member
  group?: Group
}

/** My private rows changed: on another device, in another tab, or by somebody else. */
export interface MePush {
  head?: number
  user?: User
  settings?: Settings
  group?: { groupId: GroupId; me?: Membership; draft?: string }
  left?: { groupId: GroupId; reason: Gone; until?: string }
  block?: { userId: UserId; on: boolean }
}

export interface HeadsPush {
  epoch: string
  heads: Record<GroupId, number>
}

export type Code =
  | 'BUSY' | 'RATE_LIMITED' | 'SLOW_MODE' | 'INTERNAL'
  | 'NOT_IN_ROOM'
  | 'INVALID' | 'UNAUTHORIZED' | 'FORBIDDEN' | 'NOT_FOUND' | 'NAME_TAKEN' | 'CONFLICT' | 'MUTED' | 'TOO_LARGE'
  // Our own: no server said it, no answer came, and one that is still to be given by people.
  | 'OFFLINE' | 'NO_ANSWER' | 'PENDING'

/** A request that was refused, by the server or by the lack of one. */
export class Refusal extends Error {
  readonly code: Code
  readonly retryAfter: number | undefined
  readonly until: string | undefined
  readonly suggestion: string | undefined

  constructor(code: Code, message: string = code, more: { retryAfter?: number; until?: string; suggestion?: string } = {}) {
    super(message)
    this.name = 'Refusal'
    this.code = code
    this.retryAfter = more.retryAfter
    this.until = more.until
    this.suggestion = more.suggestion
  }

  /** The same request may succeed later, unchanged. */
  get passing(): boolean {
    return ['BUSY', 'RATE_LIMITED', 'SLOW_MODE', 'INTERNAL', 'OFFLINE', 'NO_ANSWER'].includes(this.code)
  }
}
