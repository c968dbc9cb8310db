import { ref, watch, watchEffect } from 'vue'
import { locale, text } from '../i18n'
import type { Chat } from '../model/chat'
import { forget, recall, remember } from '../model/memory'
import type { Row, UserId } from '../model/protocol'
import type { Room } from '../model/room'
import { show as wordCall, type Kept } from '../worker/calls'
import { attentive } from './attention'
import { chime } from './chime'
import { claim } from './once'
import { address, go, pathOf } from './route'
import { wordSaid } from './words'

// Calling somebody who does not look: a notification, a sound, a mark on the tab. One per message, however many tabs.
// While no page is open the server calls (push.ts); a page that is open and out of sight is faster, and needs nobody's
// push service.

/** Whether this browser can call at all: not over plain http, and not where it was forbidden. */
export const possible = 'Notification' in window && isSecureContext
export const permission = ref<NotificationPermission>(possible ? Notification.permission : 'denied')
export const wanted = ref(recall<boolean>('notify') ?? false)
export const audible = ref(recall<boolean>('sound') ?? false)
/** Whether the server calls this browser while no page is open: undefined while it is not known. */
export const pushed = ref<boolean>()

const worker = possible && 'serviceWorker' in navigator
const push = () => import('./push')

watch(wanted, (on) => remember('notify', on))
watch(audible, (on) => {
  remember('sound', on)
  if (on) chime()
})

/** Asks the browser, if need be, and lets the server call; only ever after a click. */
export async function allow(chat: Chat): Promise<void> {
  if (permission.value !== 'granted') permission.value = await Notification.requestPermission()
  wanted.value = permission.value === 'granted'
  if (!wanted.value || !worker) return
  if (chat.me?.guest) await (await push()).register(locale.value) // phones show notifications of a worker alone
  else pushed.value = await (await push()).subscribe(chat, locale.value)
}

export async function stopCalls(chat: Chat): Promise<void> {
  wanted.value = false
  pushed.value = undefined
  if (worker) await (await push()).unsubscribe(chat)
}

/** Where a tab is looked at, the other tabs need not call. */
const eyes = 'eyes'
watchEffect(() => {
  if (attentive.value) remember(eyes, address.value ?? '')
  else if (recall(eyes) === (address.value ?? '')) forget(eyes)
})
addEventListener('pagehide', () => attentive.value && forget(eyes))

/** Calls for the messages of a chat from now on. */
export function startNotices(chat: Chat): void {
  chat.onArrived((room, row) => void notice(chat, room, row))
  let unread = -1
  const count = () => {
    const now = chat.list().reduce((sum, r) => sum + (calls(r) ? r.unread : 0), 0)
    mark(now)
    if (now < unread || (unread < 0 && chat.ready)) void tidy(chat)
    if (chat.ready) unread = now
  }
  chat.watch(count)
  count()
  if (worker) attend(chat)
}

/** Looks after the worker: it has to know the language, whom it calls, and where a click leads. */
function attend(chat: Chat): void {
  let known: UserId | undefined
  const meet = () => {
    const me = chat.me?.userId
    if (me === known || (me !== undefined && !chat.ready)) return
    const before = known
    known = me
    if (before !== undefined) {
      pushed.value = undefined
      void push().then((p) => p.leave(chat))
    } else if (wanted.value && permission.value === 'granted' && !chat.me?.guest) {
      void push().then(async (p) => (pushed.value = await p.renew(chat, locale.value)))
    }
  }
  chat.watch(meet)
  watch(locale, (l) => wanted.value && void push().then((p) => p.register(l)))
  navigator.serviceWorker.addEventListener('message', (e: MessageEvent<{ open?: string } | null>) => {
    if (typeof e.data?.open === 'string' && e.data.open.startsWith('/')) go(e.data.open)
  })
}

/** Takes away what calls for something that was read, here or elsewhere. */
async function tidy(chat: Chat): Promise<void> {
  if (!worker || permission.value !== 'granted') return
  const shown = (await (await navigator.serviceWorker.getRegistration('/'))?.getNotifications()) ?? []
  for (const one of shown) if (chat.rooms.get(one.tag)?.unread === 0) one.close()
}

async function notice(chat: Chat, room: Room, row: Row): Promise<void> {
  if (row.userId === chat.me?.userId || !meant(room, row) || seen(room)) return
  if (!(await claim('told.' + row.id))) return
  if (audible.value) chime()
  if (wanted.value && permission.value === 'granted') await show(room, row)
}

/** Whether a message is worth a call, by what I chose for its group. */
function meant(room: Room, row: Row): boolean {
  if (row.kind !== 'text' && row.kind !== 'file') return false
  switch (room.group.me?.notify ?? 'all') {
    case 'nothing': return false
    case 'mentions': return room.mentionsMe(row)
    default: return true
  }
}

const calls = (room: Room) => room.group.me?.notify !== 'nothing' && !room.gone

/** Somebody looks at this room, here or in another tab. */
function seen(room: Room): boolean {
  const at = recall<string>(eyes)
  return at !== undefined && (at === room.id || at === room.group.room)
}

async function show(room: Room, row: Row): Promise<void> {
  const registration = worker ? await navigator.serviceWorker.getRegistration('/') : undefined
  const before = (await registration?.getNotifications({ tag: room.id }))?.[0]?.data as Kept | undefined
  const group = room.group.kind === 'direct' ? undefined : room.name
  const call = { groupId: room.id, seq: row.seq, count: 1, sender: row.nickName, text: wordSaid(row), ...(group && { group }) }
  const { title, options } = wordCall(call, before, locale.value)
  if (registration) return registration.showNotification(title, options)
  const shown = new Notification(title, options)
  shown.onclick = () => {
    focus()
    go(pathOf(room.group, row.seq))
    shown.close()
  }
}

/** A mark on the tab's picture and on the app's: that there is something, and where it can be said how much. */
function mark(unread: number): void {
  const icon = document.querySelector<HTMLLinkElement>('link[rel=icon]')
  const file = unread > 0 ? '/favicon-unread.svg' : '/favicon.svg'
  if (icon && new URL(icon.href).pathname !== file) icon.href = file
  if (!('setAppBadge' in navigator)) return
  void (unread > 0 ? navigator.setAppBadge(unread) : navigator.clearAppBadge()).catch(() => undefined) // not installed
}

/** iPhones and iPads call only for an app that was put on the home screen. */
const homeScreen = !possible && isSecureContext && (/iP(hone|ad|od)/.test(navigator.userAgent) || (/Mac/.test(navigator.platform) && navigator.maxTouchPoints > 1))

/** What the settings say about calls here. */
export function explainNotices(guest: boolean): string {
  const words = text.value
  if (homeScreen) return words.noticesHomeScreen
  if (!possible) return isSecureContext ? words.noticesUnknown : words.noticesImpossible
  if (permission.value === 'denied') return words.noticesDenied
  if (!wanted.value || permission.value !== 'granted') return ''
  if (guest) return words.noticesGuest
  return pushed.value === undefined ? '' : pushed.value ? words.noticesPushed : words.noticesUnpushed
}
