import { ref, watch, watchEffect } from 'vue'
import { text } from '../i18n'
import type { Chat } from '../model/chat'
import { forget, recall, remember } from '../model/memory'
import type { Row } from '../model/protocol'
import type { Room } from '../model/room'
import { attentive } from './attention'
import { chime } from './chime'
import { claim } from './once'
import { address, go, pathOf } from './route'
import { wordSaid } from './words'

// Calling somebody who does not look: a notification, a sound, a mark on the tab. One per message, however many tabs.

/** Whether this browser can call at all: not over plain http, and not where it was forbidden. */
export const possible = 'Notification' in window && isSecureContext
export const permission = ref<NotificationPermission>(possible ? Notification.permission : 'denied')
export const wanted = ref(recall<boolean>('notify') ?? false)
export const audible = ref(recall<boolean>('sound') ?? false)

watch(wanted, (on) => remember('notify', on))
watch(audible, (on) => {
  remember('sound', on)
  if (on) chime()
})

/** Asks the browser; only ever after a click. */
export async function allow(): Promise<void> {
  permission.value = await Notification.requestPermission()
  wanted.value = permission.value === 'granted'
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
  const count = () => mark(chat.list().reduce((sum, r) => sum + (calls(r) ? r.unread : 0), 0))
  chat.watch(count)
  count()
}

async function notice(chat: Chat, room: Room, row: Row): Promise<void> {
  if (row.userId === chat.me?.userId || !meant(room, row) || seen(room)) return
  if (!(await claim('told.' + row.id))) return
  if (audible.value) chime()
  if (wanted.value && permission.value === 'granted') show(room, row)
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

function show(room: Room, row: Row): void {
  const title = room.group.kind === 'direct' ? row.nickName : `${row.nickName} · ${room.name}`
  const shown = new Notification(title, { body: wordSaid(row), tag: row.id, icon: '/icon-192.png', lang: document.documentElement.lang })
  shown.onclick = () => {
    focus()
    go(pathOf(room.group))
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

/** What the settings say about calls here. */
export function explainNotices(): string {
  if (!possible) return text.value.noticesImpossible
  return permission.value === 'denied' ? text.value.noticesDenied : ''
}
