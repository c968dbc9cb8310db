import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { at, makeGroup, phone, register, say, texts, until, visit } from './support/browser.mjs'
import { missing } from './support/needs.mjs'
import { PushService } from './support/pushservice.mjs'
import { suite } from './support/suite.mjs'

let service
if (!missing()) {
  before(async () => (service = await PushService.start()))
  after(() => service?.stop())
}

/** Everything but the push service of a maker is real: the server encrypts and sends, the worker is called by the browser. */
suite('web push', (house) => {
  let members = 0
  /** A member whose browser may notify, and has a push service. */
  const called = async (nickName, how) => {
    const p = await house.someone(how)
    await p.context.grantPermissions(['notifications'], { origin: house.server.url })
    const subscription = service.subscribe()
    await p.context.addInitScript(({ endpoint, keys }) => {
      const kept = { get: () => JSON.parse(localStorage.getItem('test.subscription')), set: (s) => localStorage.setItem('test.subscription', JSON.stringify(s)) }
      const made = (key) => ({
        endpoint, options: { applicationServerKey: Uint8Array.from(atob(key.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0)).buffer },
        toJSON: () => ({ endpoint, expirationTime: null, keys }),
        unsubscribe: async () => (kept.set(null), true),
      })
      PushManager.prototype.subscribe = async ({ applicationServerKey: key }) => (kept.set(key), made(key))
      PushManager.prototype.getSubscription = async () => (kept.get() ? made(kept.get()) : null)
    }, { endpoint: subscription.endpoint, keys: subscription.keys })
    const page = await p.tab()
    await register(page, house.server.url, 'called' + ++members, nickName)
    return { page, context: p.context, calls: subscription.calls }
  }
  const member = async (nickName) => {
    const page = await (await house.someone()).tab()
    await register(page, house.server.url, 'friend' + ++members, nickName)
    return page
  }
  const turnOn = async (page) => {
    await at(page, 'settings').click()
    await at(page, 'notices').click()
    await at(page, 'notices-hint').waitFor()
    await page.keyboard.press('Escape')
  }
  /** As if another tab or app were in front. */
  const hide = (page, hidden = true) => page.evaluate((hidden) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => (hidden ? 'hidden' : 'visible') })
    document.hasFocus = () => !hidden
    document.dispatchEvent(new Event('visibilitychange'))
  }, hidden)
  /** What stands on the screen of the device, as its worker sees it. */
  const shown = (worker) => worker.evaluate(async () => (await registration.getNotifications()).map((n) => ({ title: n.title, body: n.body, tag: n.tag, data: n.data, lang: n.lang })))
  /** Hands a call to the worker, as the browser does when its push service has one. */
  const deliver = async (page, text) => {
    const devtools = await page.context().newCDPSession(page)
    const versions = []
    devtools.on('ServiceWorker.workerVersionUpdated', (e) => versions.push(...e.versions))
    await devtools.send('ServiceWorker.enable')
    const version = await until(async () => versions.findLast((v) => v.status === 'activated'), Boolean, 'an active worker')
    await devtools.send('ServiceWorker.deliverPushMessage', { origin: house.server.url, registrationId: version.registrationId, data: text })
    await devtools.detach()
  }
  const workerOf = (context) => until(async () => context.serviceWorkers()[0], Boolean, 'the worker')

  test('who is away is called, by the browser that was asked to; the call renews, and a click leads to the message', async () => {
    const me = await called('小满')
    const friend = await member('林晚')
    await makeGroup(friend, '发布列车', 'open')
    await visit(me.page, '发布列车')
    await say(me.page, '在')
    await until(() => texts(friend), (t) => t.includes('在'), 'me among them')
    assert.equal(me.context.serviceWorkers().length, 0, 'no worker before a click')
    await turnOn(me.page)
    const worker = await workerOf(me.context)

    await say(friend, '看着的人不用叫')
    await until(() => texts(me.page), (t) => t.includes('看着的人不用叫'), 'seen')
    await at(friend, 'receipt').waitFor() // and the server knows
    await me.page.goto('about:blank') // the page is closed, the browser is not
    await say(friend, '到站了')
    const [call] = await until(() => me.calls, (c) => c.length > 0, 'a call', 20_000)
    assert.match(call.headers.authorization, /^vapid t=.+, k=/)
    const said = JSON.parse(call.text)
    assert.deepEqual({ ...said, groupId: '', seq: 0 }, { groupId: '', seq: 0, count: 1, group: '发布列车', sender: '林晚', text: '到站了' })
    assert.equal(me.calls.length, 1, 'what I was looking at did not call')

    await deliver(me.page, call.text)
    const path = `/g/${said.groupId}/${said.seq}`
    await until(() => shown(worker), (all) => all.length === 1, 'a notification')
    assert.deepEqual(await shown(worker), [{ title: '发布列车', body: '林晚：到站了', tag: said.groupId, lang: 'zh-CN', data: { seq: said.seq, count: 1, path } }])
    await deliver(me.page, JSON.stringify({ ...said, seq: said.seq + 1, count: 2, text: '下车吧' }))
    await until(() => shown(worker), (all) => all[0]?.data.count === 3, 'one that was renewed')
    const [second, ...more] = await shown(worker)
    assert.deepEqual(more, [])
    assert.equal(second.body, '林晚：下车吧\n3 条新消息')

    await me.page.goto(house.server.url + '/')
    await worker.evaluate(async () => { // as the browser does for a click
      const [notification] = await registration.getNotifications()
      const event = new NotificationEvent('notificationclick', { notification })
      dispatchEvent(event)
    })
    await until(() => me.page.evaluate(() => location.pathname), (p) => decodeURIComponent(p).startsWith('/g/'), 'led there')
    await until(() => texts(me.page), (t) => t.includes('到站了'), 'the message')
    await until(() => shown(worker), (all) => all.length === 0, 'nothing left once it is read')
  })

  test('while a page is in sight nothing is shown; without a preview no word of it; signing out ends it', async () => {
    const me = await called('北川', { locale: 'en-US' })
    const friend = await member('Mara')
    await makeGroup(friend, 'Night train', 'open')
    await visit(me.page, 'Night train')
    await say(me.page, 'here')
    await turnOn(me.page)
    const worker = await workerOf(me.context)
    await deliver(me.page, JSON.stringify({ groupId: 'g', seq: 1, count: 1, group: 'x', sender: 'y', text: 'z' }))
    assert.deepEqual(await shown(worker), [])

    await at(me.page, 'settings').click()
    await at(me.page, 'push-preview').click()
    await until(() => at(me.page, 'push-preview').getAttribute('aria-checked'), (on) => on === 'false', 'no preview')
    await me.page.goto('about:blank')
    await say(friend, 'a secret')
    const [call] = await until(() => me.calls, (c) => c.length > 0, 'a call', 20_000)
    assert.ok(!/secret|Mara|Night/.test(call.text), call.text)
    await deliver(me.page, call.text)
    await until(() => shown(worker), (all) => all.length === 1, 'a notification')
    const [only] = await shown(worker)
    assert.deepEqual([only.title, only.body, only.lang], ['Qun', 'A new message', 'en'])

    await me.page.goto(house.server.url)
    await at(me.page, 'settings').click()
    await at(me.page, 'sign-out').click()
    await at(me.page, 'nickname').waitFor()
    await until(() => me.page.evaluate(() => localStorage.getItem('test.subscription')), (s) => s === 'null', 'unsubscribed')
    await until(() => shown(worker), (all) => all.length === 0, 'nothing left to read')
    const calls = me.calls.length
    await say(friend, 'anybody?')
    await friend.waitForTimeout(5000) // longer than the server gathers
    assert.equal(me.calls.length, calls)
  })

  test('a page out of sight is faster than the push service, and both are one notification', async () => {
    const me = await called('阿澈')
    const friend = await member('周屿')
    await makeGroup(friend, '夜车', 'open')
    await visit(me.page, '夜车')
    await say(me.page, '在')
    await until(() => texts(friend), (t) => t.includes('在'), 'me among them')
    await turnOn(me.page)
    const worker = await workerOf(me.context)
    await hide(me.page)
    await say(friend, '醒醒')
    await until(() => shown(worker), (all) => all.length === 1, 'shown by the page')
    const [call] = await until(() => me.calls, (c) => c.length > 0, 'and a call', 20_000)
    await me.page.goto('about:blank')
    await deliver(me.page, call.text)
    assert.deepEqual((await shown(worker)).map((n) => n.data.count), [1])
  })

  test('a phone says what it needs, and where it cannot be', async () => {
    const p = await house.someone({ viewport: phone })
    const page = await p.tab()
    await p.context.addInitScript(() => {
      delete window.Notification
      Object.defineProperty(navigator, 'userAgent', { get: () => 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)' })
    })
    await register(page, house.server.url, 'phone' + ++members, '路过的猫')
    await at(page, 'settings').click()
    assert.match(await at(page, 'notices-hint').textContent(), /添加到主屏幕/)
    assert.equal(await at(page, 'notices').count(), 0)
  })
}, {
  server: () => ['--webhook-network', '127.0.0.0/8'],
  environment: () => service.environment,
})
