import { chooseWindow, localeOf, readCall, show, stands, type Kept } from './calls'
import { keptLocale } from './kept'

// Runs while no page is open, and only then has something to do: it shows calls. It answers no fetches, so that the app
// is always the server's.

declare const self: ServiceWorkerGlobalScope

self.addEventListener('install', () => void self.skipWaiting())
self.addEventListener('activate', (e) => e.waitUntil(self.clients.claim()))

self.addEventListener('push', (e) => e.waitUntil(call(e.data?.text())))
self.addEventListener('notificationclick', (e) => {
  e.notification.close()
  e.waitUntil(open((e.notification.data as Kept | undefined)?.path ?? '/'))
})
self.addEventListener('pushsubscriptionchange', (e) => (e as ExtendableEvent).waitUntil(renew(e as SubscriptionChange)))

const windows = () => self.clients.matchAll({ type: 'window', includeUncontrolled: true })

async function call(text: string | undefined): Promise<void> {
  if ((await windows()).some((w) => w.visibilityState === 'visible')) return // it is read there, or told there
  const said = readCall(text)
  const [before] = await self.registration.getNotifications({ tag: said.groupId ?? 'qun' })
  const kept = before?.data as Kept | undefined
  if (stands(said, kept)) return
  const { title, options } = show(said, kept, localeOf(await keptLocale(), self.navigator.language))
  await self.registration.showNotification(title, options)
}

/** Brings a page forward and lets it go there by itself; without one, opens it. */
async function open(path: string): Promise<void> {
  const window = chooseWindow(await windows())
  if (!window) return void (await self.clients.openWindow(path))
  window.postMessage({ open: path })
  await window.focus().catch(() => undefined) // only a click may do that; the page is there all the same
}

interface SubscriptionChange extends ExtendableEvent {
  oldSubscription?: PushSubscription | null
  newSubscription?: PushSubscription | null
}

/** The browser's maker took the subscription back, or gave another: the server has to know, or it calls in vain. */
async function renew({ oldSubscription: old, newSubscription }: SubscriptionChange): Promise<void> {
  const subscription = newSubscription ?? (await self.registration.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: old?.options.applicationServerKey ?? (await serverKey()),
  }))
  const answer = await api('POST', { subscription: subscription.toJSON(), ...(old && { before: old.endpoint }) })
  if (answer.status === 401 || answer.status === 403) await subscription.unsubscribe() // nobody is signed in here any more
}

async function serverKey(): Promise<string> {
  return ((await (await api('GET')).json()) as { key: string }).key
}

function api(method: 'GET' | 'POST', body?: object): Promise<Response> {
  return fetch('/api/v1/me/push', {
    method, credentials: 'same-origin', ...(body && { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),
  })
}
