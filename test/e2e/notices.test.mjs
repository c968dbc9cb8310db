import assert from 'node:assert/strict'
import { test } from 'node:test'
import { at, join, say, until } from './support/browser.mjs'
import { suite } from './support/suite.mjs'

suite('calls', (house) => {
  /** A person who allowed notifications; what is shown in any tab is written down. */
  const called = async () => {
    const p = await house.someone()
    const shown = []
    await p.context.grantPermissions(['notifications'])
    await p.context.exposeFunction('noteNotice', (title, body) => void shown.push(title + '：' + body))
    await p.context.addInitScript(() => {
      if (!window.ServiceWorkerRegistration) return // the empty page before the first
      const show = ServiceWorkerRegistration.prototype.showNotification
      ServiceWorkerRegistration.prototype.showNotification = function (title, options) {
        window.noteNotice(title, options.body)
        return show.call(this, title, options)
      }
    })
    return { ...p, shown }
  }
  const allow = async (page) => {
    await at(page, 'settings').click()
    await at(page, 'notices').click()
    await page.keyboard.press('Escape')
  }
  /** Looks away: as if another window had the focus. */
  const lookAway = (page) => page.evaluate(() => {
    document.hasFocus = () => false
    dispatchEvent(new Event('blur'))
  })

  test('two tabs, one notification; none for who looks; only asked for by a click', async () => {
    const me = await called()
    const [one, two, friend] = [await me.tab(), await me.tab(), await (await house.someone()).tab()]
    const room = house.newRoom()
    await join(one, house.server.url, '小满', room)
    await two.goto(house.server.url + '/g/' + encodeURIComponent(room))
    await at(two, 'composer').waitFor()
    await join(friend, house.server.url, '林晚', room)
    await lookAway(one)
    await lookAway(two)
    await say(friend, '没人允许过')
    await until(() => two.title(), (t) => t.startsWith('(1)'), 'the count in the title')
    assert.deepEqual(me.shown, [])
    await allow(one)
    await two.reload()
    await at(two, 'composer').waitFor()
    await lookAway(one)
    await lookAway(two)
    await say(friend, '有人吗')
    await until(() => me.shown, (s) => s.length > 0, 'a notification')
    await say(friend, '还有一句')
    await until(() => me.shown, (s) => s.length > 1, 'the next')
    assert.deepEqual(me.shown, [`${room}：林晚：有人吗`, `${room}：林晚：还有一句\n2 条新消息`])
  })

  test('the picture of the tab says that something waits', async () => {
    const [me, friend] = [await (await house.someone()).tab(), await (await house.someone()).tab()]
    const room = house.newRoom()
    await join(me, house.server.url, '小满', room)
    await join(friend, house.server.url, '林晚', room)
    await lookAway(me)
    await say(friend, '在吗')
    const icon = () => me.evaluate(() => new URL(document.querySelector('link[rel=icon]').href).pathname)
    await until(icon, (path) => path === '/favicon-unread.svg', 'the mark')
    await me.evaluate(() => {
      document.hasFocus = () => true
      dispatchEvent(new Event('focus'))
    })
    await until(icon, (path) => path === '/favicon.svg', 'no mark when it is read')
  })
})
