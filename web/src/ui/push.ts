import type { Chat } from '../model/chat'
import { forget, recall, remember } from '../model/memory'
import { Refusal } from '../model/protocol'
import { keepLocale } from '../worker/kept'

// Web Push: the server calls this browser while no page is open. It is the choice of one person: who signs in here after
// them makes their own. Loaded by who wants it.

const chosen = 'push' // who

export async function register(locale: string): Promise<ServiceWorkerRegistration> {
  await keepLocale(locale)
  return navigator.serviceWorker.register('/sw.js')
}

/** Lets the server call this browser; false where the browser, or its maker's push service, will not. */
export async function subscribe(chat: Chat, locale: string): Promise<boolean> {
  if (!chat.me || chat.me.guest || !('PushManager' in window)) return false
  try {
    const registration = await register(locale)
    await navigator.serviceWorker.ready
    const { key } = await chat.request<{ key: string }>('pushKey', {})
    const subscription = (await mine(registration, key)) ?? (await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }))
    await chat.request('subscribePush', { subscription: subscription.toJSON() })
    remember(chosen, chat.me.userId)
    return true
  } catch (err) {
    if (err instanceof Refusal || err instanceof DOMException) return false
    throw err
  }
}

/** After a start the server is told again: it may have lost its data, or the browser the subscription. */
export async function renew(chat: Chat, locale: string): Promise<boolean> {
  return recall(chosen) === chat.me?.userId && subscribe(chat, locale)
}

/** Ends it, for the browser and the server. */
export async function unsubscribe(chat: Chat): Promise<void> {
  forget(chosen)
  const subscription = await (await registered())?.pushManager?.getSubscription()
  if (!subscription) return
  const { endpoint } = subscription
  await subscription.unsubscribe()
  await chat.request('unsubscribePush', { endpoint }).catch(() => undefined) // it goes with the session, too, and when it is called in vain
}

/** Nobody is here any more: nothing is called, and what was called for is nobody's to read. */
export async function leave(chat: Chat): Promise<void> {
  await unsubscribe(chat)
  for (const shown of (await (await registered())?.getNotifications()) ?? []) shown.close()
}

export function registered(): Promise<ServiceWorkerRegistration | undefined> {
  return navigator.serviceWorker.getRegistration('/')
}

/** The subscription there is, if it was made for this server's key; one for another is given up. */
async function mine(registration: ServiceWorkerRegistration, key: string): Promise<PushSubscription | null> {
  const subscription = await registration.pushManager.getSubscription()
  const made = subscription?.options.applicationServerKey
  if (!subscription || !made || base64url(made) === key.replace(/=+$/, '')) return subscription
  await subscription.unsubscribe()
  return null
}

function base64url(bytes: ArrayBuffer): string {
  return btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')
}
