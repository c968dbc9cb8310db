import type { Words } from '../zh-CN'

// The words of programs in a group, in Chinese; they come with what shows them.

export const connectZhCN = {
  helper: (n: number) => `小助手 ${n}`,
  connectNeeds: '这个群要有身份才能进。给程序一个机器人，它就能说话。',
  connectNeedsCurl: 'curl 说话要有令牌或 webhook，在这里生成一个。',
  connectAsk: '这里要有令牌才能说话，请群主或管理员来生成。',
  connectOrigin: '别的网站上的网页要连进来，服务器得用 --origin 放行它。',
  secretOnce: '密钥只显示这一次，收好它。谁拿到，谁就能用它说话。',
  connectBot: '用机器人的身份',
  connectHook: '生成 webhook',
  connectWaiting: '等它说第一句话',
  programName: '名字',
  hookNew: '新 webhook',
  hookKind: '方向',
  hookKinds: { incoming: '送进来', outgoing: '送出去' },
  hookInHint: '程序往一个地址发一条请求，群里就多一句话。',
  hookOutHint: '群里有新消息时，服务器去告诉一个地址。',
  hookChanges: '编辑、撤回和回应也告诉它',
  hookNone: '还没有 webhook。',
  hookTest: '试一下',
  hookTested: '送到了，它答应了',
  hookOff: '已停用',
  /** The few sentences of internal/push; one that is not known here stays as it is. */
  hookFailure: (why: string): string => {
    const answered = /^it answered (\d+)/.exec(why)?.[1]
    return answered ? `对方回了 ${answered}` : ({
      'its address is not valid': '地址不对',
      'it did not answer in time': '对方太久没回应',
      'its certificate is not valid': '对方的证书无效',
      'it cannot be reached, or broke off': '连不上，或中途断开',
      'it has no public address, or a port that may not be reached': '不是公网地址，或端口不许访问',
    } as Record<string, string>)[why] ?? why
  },
  hookOffBecause: (why: string) => `已停用：${why}`,
  hookFailing: (since: string, why: string, again: string) => `${since} 起送不到：${why}${again ? `，${again} 再试` : ''}`,
  hookTold: (at: string) => `最近送到 ${at}`,
  hookSilent: '还没送过',
  newSecret: '换密钥',
  newToken: '换令牌',
  endSure: '确定删除',
  myBots: '我的机器人',
  botNew: '新机器人',
  botNone: '还没有机器人。',
  botMay: '它可以',
  botHere: '在本群',
  botElsewhere: '不在本群',
  botSeen: (at: string) => `最近用过 ${at}`,
  botIn: '加进本群',
  botOut: '移出本群',
  noPicture: '不用颜色',
} as const

/** What the catalogue of programs must hold in every language. */
export type ConnectCatalogue = Words<typeof connectZhCN>
