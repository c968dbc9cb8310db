import assert from 'node:assert/strict'
import { test } from 'node:test'
import { at, join, rows, say, texts, until } from './support/browser.mjs'
import { suite } from './support/suite.mjs'

// Plain http at a name that is not localhost: no clipboard API, no crypto.randomUUID, no service worker, no notifications.
suite('on a LAN', (house) => {
  const host = (url) => url.replace('127.0.0.1', 'lan.test')

  test('the core works without a secure context', async () => {
    const [page, friend] = [await (await house.someone()).tab(), await (await house.someone()).tab()]
    const room = house.newRoom()
    const url = host(house.proxy.url)
    await join(page, url, '局域网', room)
    await join(friend, url, '隔壁', room)
    assert.deepEqual(await page.evaluate(() => [isSecureContext, typeof navigator.clipboard, typeof crypto.randomUUID, 'serviceWorker' in navigator]), [false, 'undefined', 'undefined', false])

    // Talking, and coming back.
    await say(page, '也行')
    await until(() => texts(friend), (t) => t.includes('也行'), 'at the other')
    await page.reload()
    await until(() => texts(page), (t) => t.join() === '也行', 'still me')
    assert.equal(await page.locator('.message.mine').count(), 1)

    // Copying: a link, and the text of a message; what is copied can be pasted.
    const pasted = async () => {
      await at(page, 'composer').fill('')
      await at(page, 'composer').press('Control+V')
      const text = await at(page, 'composer').inputValue()
      await at(page, 'composer').fill('')
      return text
    }
    await at(page, 'copy-link').click()
    await until(() => at(page, 'copy-link').innerText(), (t) => t === '已复制', 'copied')
    assert.equal(await pasted(), url + '/g/' + encodeURIComponent(room))
    await page.locator('[data-testid=message] .text').click({ button: 'right' })
    await at(page, 'act-copy').click()
    assert.equal(await pasted(), '也行')

    // A message's acts.
    await page.locator('[data-testid=message] .text').click({ button: 'right' })
    await at(page, 'quick-reaction').first().click()
    await until(() => at(friend, 'reaction').allTextContents(), (all) => all.join() === '👍1', 'the reaction')

    // Files.
    await at(page, 'file-picker').setInputFiles({ name: '记录.txt', mimeType: 'text/plain', buffer: Buffer.from('在') })
    await at(page, 'send').click()
    await until(() => at(friend, 'file').allTextContents(), (all) => all.some((t) => t.includes('记录.txt')), 'the file')

    // What is written without a connection.
    house.proxy.cut()
    for (const text of ['一', '二', '三']) await say(page, text)
    await page.reload()
    await until(() => rows(page), (r) => r.slice(-3).map((m) => m.text + m.state).join() === '一pending,二pending,三pending', 'kept over a reload')
    house.proxy.mend()
    await until(() => texts(friend), (t) => t.slice(-3).join() === '一,二,三' && t.filter((x) => x === '二').length === 1, 'exactly three')

    // What the browser does not allow is said in a sentence.
    await at(page, 'settings').click()
    const settings = await page.locator('dialog[open]').innerText()
    assert.match(settings, /这里是 http，浏览器不允许桌面通知。/)
    await at(page, 'handoff').click()
    await page.locator('dialog[open] [data-testid=qr] path').waitFor()
  })
}, { browser: ['--host-resolver-rules=MAP lan.test 127.0.0.1'], server: (port) => ['--public-url', `http://lan.test:${port}`, '--guests', 'open'] })
