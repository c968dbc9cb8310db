import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encode } from '../../web/node_modules/uqr/dist/index.mjs'
import { at, join, phone, say, until } from './support/browser.mjs'
import { suite } from './support/suite.mjs'

/** The modules of the code on the page, as Qr.vue draws them. */
const drawn = (page) => until(() => page.locator('.timeline [data-testid=qr] path').getAttribute('d', { timeout: 500 }).catch(() => ''), Boolean, 'a code')
const code = (text) => encode(text, { ecc: 'M', border: 2 }).data.map((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : '')).join('')).join('')

suite('a phone', (house) => {
  test('an empty room shows a code with the address that other devices find, not the one in the address bar; it goes with the first word', async () => {
    const page = await (await house.someone()).tab()
    const room = house.newRoom()
    await join(page, house.server.url, '小满', room)
    const there = 'http://192.168.1.20:3000/g/' + encodeURIComponent(room)
    assert.equal(await drawn(page), code(there))
    assert.match(await page.locator('.timeline .empty').textContent(), /用手机扫一下，两边就能聊起来。两边要在同一个网络里。/)
    assert.equal(await page.locator('.timeline .link').textContent(), '192.168.1.20:3000/g/' + room.replaceAll(' ', '%20'))
    await say(page, '有人了')
    await until(() => page.locator('.timeline [data-testid=qr]').count(), (n) => n === 0, 'none')
    assert.match(await page.locator('.info .link').first().textContent(), /^192\.168\.1\.20:3000/)
  })

  test('the way back leads out of what lies over the room, then out of the room; and an arrow is that way, so that there are no loops', async () => {
    const page = await (await house.someone({ viewport: phone })).tab()
    await join(page, house.server.url, '小满', house.newRoom())
    await say(page, '到了')
    await at(page, 'show-info').click()
    await at(page, 'group-info').waitFor()
    await page.goBack()
    await at(page, 'composer').waitFor()
    const depth = await page.evaluate(() => history.length)
    for (let i = 0; i < 3; i++) {
      await at(page, 'show-info').click()
      await at(page, 'close-info').click()
      await at(page, 'back').click()
      await at(page, 'settings').click()
      await at(page, 'sign-out').waitFor()
      await page.goBack()
      await at(page, 'conversation').click()
      await at(page, 'composer').waitFor()
    }
    assert.ok((await page.evaluate(() => history.length)) <= depth, 'no deeper')
    await page.goBack()
    await at(page, 'conversations').waitFor()
  })
}, { server: () => ['--public-url', 'http://192.168.1.20:3000'] })

suite('no phone', (house) => {
  test('where no other device finds the server, a sentence says how to change that, and no code leads nowhere', async () => {
    for (const [locale, words] of [['zh-CN', /用 --lan 启动服务器/], ['en-US', /start the server with --lan/]]) {
      const page = await (await house.someone({ locale, viewport: phone })).tab()
      await join(page, house.server.url, 'Wren ' + locale, house.newRoom())
      await until(() => page.locator('.timeline .empty').textContent().catch(() => ''), (t) => words.test(t), 'the sentence')
      assert.equal(await page.locator('[data-testid=qr]').count(), 0)
    }
  })
})
