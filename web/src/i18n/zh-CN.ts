// The app's words in Chinese. Written, not translated: short clauses, 你, full-width punctuation, digits always.
// Whatever stands here must stand in en.ts too; the build fails otherwise.

export const zhCN = {
  name: '中文',
  other: 'English',

  // first screen
  title: '来，坐下聊',
  lead: '起个名字，挑个房间，就能开口。',
  leadInto: (room: string) => `起个名字，就能在「${room}」开口。`,
  leadIntoSome: '起个名字，就能开口。',
  yourName: '你的名字',
  room: '房间',
  lobby: '大厅',
  join: '进入',
  joining: '正在进入',
  footer: (host: string) => `${host} · 消息只存在这台服务器上`,
  nameMissing: '起个名字，大家好知道是谁在说话',
  roomMissing: '写上要去的房间',
  nameTaken: (free: string) => `这个名字有人用了，试试「${free}」`,
  unreachable: '连不上服务器。看看网络，再试一次',
  back: '返回',

  // shell
  chats: '群聊',
  me: '我',
  online: '在线',
  offline: '离线',
  find: '搜索或走进一个房间',
  walkInto: (room: string) => `走进「${room}」`,
  enterRoom: '走进一个房间',
  noRooms: '还没有群聊',
  noRoomsHint: '写下一个房间的名字，就能走进去。',
  pickRoom: '挑一个群聊',
  pickRoomHint: '左边是你去过的地方。',
  unreadCount: (n: number) => `${n} 条未读`,
  atMe: '[有人@我]',
  draft: '[草稿]',
  said: (who: string, what: string) => `${who}：${what}`,
  people: (n: number) => `${n} 人`,
  openRoom: '开放房间',
  guest: '访客',
  bot: '机器人',
  settings: '设置',

  // timeline
  timeline: '消息',
  newLine: '以下是新消息',
  jump: (n: number) => `${n} 条新消息`,
  jumpLatest: '回到最新',
  nobodySpoke: '这里还没人说话',
  nobodySpokeHint: '说第一句话，或者把链接发给想聊的人。',
  joined: (who: string) => `${who} 加入了`,
  recalled: (who: string) => `${who} 撤回了一条消息`,
  recalledMine: '你撤回了一条消息',
  edited: '已编辑',
  pending: '正在发送',
  notSent: '没发出去',
  retry: '重试',
  editRetry: '编辑后重试',
  remove: '删除',
  tooLong: (limit: string, now: string) => `太长了：${limit} 字以内，现在 ${now} 字`,
  mutedUntil: (time: string) => `你被禁言到 ${time}`,
  mutedNow: '你被禁言了',
  gone: { left: '你已不在这个房间', kicked: '你已被移出本群', banned: '你已被移出本群，不能再进', dissolved: '这个群已解散' },

  // composer
  composer: (room: string) => `发消息到 ${room}`,
  firstWord: '说第一句话',
  send: '发送',

  // connection
  lost: '连接断了，正在重连。你写的都留着',
  retryNow: '现在重试',
  cameBack: '已重连，一条没丢',
  cameBackWith: (n: number) => `已重连，补回 ${n} 条，一条没丢`,

  // group info
  info: '群资料',
  members: '见过的人',
  meTag: '我',
  roles: { owner: '群主', admin: '管理员' },
  invite: '邀请',
  inviteHint: '打开链接就能进来，不用下载、不用注册。',
  copyLink: '复制链接',
  copied: '已复制',
  copySelf: '长按链接复制（这里是 http，浏览器不让代劳）',
  localhostHint: '这个地址只在本机有效。想让手机进来，用 --lan 启动服务器。',
  language: '语言',
  theme: '外观',
  themes: { light: '浅色', dark: '深色', system: '跟随系统' },
  toList: '回到群聊列表',
  close: '关闭',
  signOut: '换个名字',
  signOutHint: '访客的名字只留在这个浏览器里。',

  // time
  today: '今天',
  yesterday: '昨天',
} as const

type Words<T> = { [K in keyof T]: T[K] extends string ? string : T[K] extends (...args: infer A) => string ? (...args: A) => string : Words<T[K]> }

/** What a catalogue must hold: every key, and functions with the same arguments. */
export type Catalogue = Words<typeof zhCN>
