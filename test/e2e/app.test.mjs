import assert from 'node:assert/strict'
import { test } from 'node:test'
import { at, banners, desk, join, noteSockets, phone, retryNow, rows, say, texts, until, visit } from './support/browser.mjs'
import { Server } from './support/server.mjs'
import { suite } from './support/suite.mjs'

suite('the web app', (house) => {
  test('a reload keeps who I am and where I was', async () => {
    const page = await (await house.someone()).tab()
    await join(page, house.server.url, '回来的人', house.newRoom())
    await say(page, '第一句')
    await until(() => rows(page), (r) => r[0]?.state === 'sent', 'sent')
    await page.reload()
    await until(() => texts(page), (t) => t.join() === '第一句', 'the message after the reload')
    assert.equal(await page.locator('.message.mine').count(), 1)
  })

  test('who takes another name in one tab is asked for a name in the other', async () => {
    const me = await house.someone()
    const [one, two] = [await me.tab(), await me.tab()]
    const room = house.newRoom()
    await join(one, house.server.url, '旧名字', room)
    await two.goto(house.server.url + '/g/' + encodeURIComponent(room))
    await at(two, 'composer').waitFor()
    await at(one, 'settings').click()
    await at(one, 'sign-out').click()
    await at(one, 'nickname').waitFor()
    await at(two, 'nickname').waitFor()
    await join(one, house.server.url, '新名字', room)
    assert.equal(await one.locator('.me-bar strong').textContent(), '新名字')
  })

  test('two people see each other, in one order', async () => {
    const [a, b] = [await (await house.someone()).tab(), await (await house.someone({ locale: 'en-US' })).tab()]
    const room = house.newRoom()
    await join(a, house.server.url, '林晚', room)
    await join(b, house.server.url, 'Tomo', room)
    for (let i = 0; i < 10; i++) await Promise.all([say(a, 'a' + i), say(b, 'b' + i)])
    const all = await until(() => texts(a), (t) => t.length === 20, 'twenty messages at a')
    await until(() => texts(b), (t) => t.join() === all.join(), 'the same at b')
    await until(() => rows(b), (r) => r.every((m) => m.state === 'sent'), 'all sent')
    assert.equal(await a.locator('.message.theirs .tag').first().textContent(), '访客')
    assert.equal(await b.locator('.message.theirs .tag').first().textContent(), 'Guest')
  })

  test('at the address of a room only the name is asked', async () => {
    const page = await (await house.someone()).tab()
    const room = '茶水间 ☕ & 朋友'
    await page.goto(house.server.url + '/g/' + encodeURIComponent(room))
    assert.equal(await page.locator('h1').textContent(), room)
    assert.equal(await at(page, 'room').count(), 0)
    await at(page, 'to-account').click()
    await page.getByText('返回').click()
    await until(() => page.locator('h1').textContent(), (h) => h === room, 'back to where it was')
    await at(page, 'nickname').fill('路过的猫')
    await at(page, 'join').click()
    await say(page, '喵')
    await until(() => rows(page), (r) => r[0]?.state === 'sent', 'sent')
    assert.equal(await page.locator('.top h1').textContent(), room)
  })

  test('three messages written offline survive a reload and arrive once, in order', async () => {
    const [a, b] = [await (await house.someone()).tab(), await (await house.someone()).tab()]
    const room = house.newRoom()
    await join(a, house.proxy.url, '隧道里', room)
    await join(b, house.server.url, '等着的人', room)
    await say(a, '进隧道前')
    await until(() => texts(b), (t) => t.length === 1, 'the message before')
    house.proxy.cut()
    for (const text of ['一', '二', '三']) await say(a, text)
    assert.deepEqual((await rows(a)).map((r) => r.state), ['sent', 'pending', 'pending', 'pending'])
    await a.reload()
    await until(() => rows(a), (r) => r.map((m) => m.text + m.state).join() === '进隧道前sent,一pending,二pending,三pending', 'what was there before, and the outbox, after the reload')
    house.proxy.mend()
    await until(() => texts(b), (t) => t.join() === '进隧道前,一,二,三', 'exactly three at the other')
    await until(() => rows(a), (r) => r.map((m) => m.text + m.state).join() === '进隧道前sent,一sent,二sent,三sent', 'exactly three at mine')
    await a.reload()
    await until(() => texts(a), (t) => t.join() === '进隧道前,一,二,三', 'nothing doubled later')
  })

  test('the server restarts while somebody types: the banner says so, what was typed is kept and sent, nothing is lost', async () => {
    const [a, reader] = [await (await house.someone()).tab(), await house.someone({ locale: 'en-US' })]
    await noteSockets(reader.context)
    const b = await reader.tab()
    const room = house.newRoom()
    await join(a, house.server.url, '打字的人', room)
    await join(b, house.server.url, 'Reader', room)
    await say(a, '之前')
    await until(() => texts(b), (t) => t.length === 1, 'before')
    await at(a, 'composer').pressSequentially('写到')
    const told = await banners(b)
    await house.server.down()
    await at(a, 'composer').pressSequentially('一半')
    await at(b, 'connection').waitFor()
    const quiet = await b.evaluate(() => window.bannersAt[0] - window.sockets[0].endedAt)
    assert.ok(quiet > 1990, `nothing under two seconds, but after ${quiet} ms`)
    assert.match(await at(b, 'connection').textContent(), /Connection lost, reconnecting/)
    assert.equal(await at(a, 'composer').inputValue(), '写到一半')
    await at(a, 'composer').press('Enter')
    await house.server.up()
    await retryNow(b)
    await until(() => texts(b), (t) => t.join() === '之前,写到一半', 'the line, once')
    await until(() => rows(a), (r) => r.map((m) => m.text + m.state).join() === '之前sent,写到一半sent', 'mine')
    await until(told, (t) => /^Back/.test(t.at(-1)), 'the good news')
    await b.waitForSelector('[data-testid=connection]', { state: 'detached' })
  })

  test('a server that lost its data finds me in the same room under the same name, with what I wrote meanwhile', async () => {
    const fresh = await Server.start()
    try {
      const page = await (await house.someone()).tab()
      await join(page, fresh.url, '老朋友', '大厅')
      await say(page, '旧的')
      await until(() => rows(page), (r) => r[0]?.state === 'sent', 'sent')
      await fresh.down()
      await say(page, '没发出去的')
      await at(page, 'composer').fill('写到一半')
      await fresh.begin()
      await until(() => rows(page), (r) => r.map((m) => m.text + m.state).join() === '没发出去的sent', 'the new beginning')
      assert.equal(await at(page, 'composer').inputValue(), '写到一半')
      assert.equal(await at(page, 'conversation').count(), 1)
      assert.equal(await page.locator('.me-bar strong').textContent(), '老朋友')
    } finally {
      await fresh.stop()
    }
  })

  test('a page that is older than the server begins anew when a part of it is gone, and keeps what is typed', async () => {
    const someone = await house.someone()
    const page = await someone.tab()
    let missed = 0
    await page.route('**/assets/Keys-*.js', (route) => { missed++; return route.abort('connectionfailed') })
    let asked = 0
    page.on('request', (request) => { if (new URL(request.url()).pathname === '/') asked++ })
    await join(page, house.server.url, '小满', house.newRoom())
    await at(page, 'composer').fill('还没写完')
    await page.evaluate(() => (window.old = true))
    asked = 0
    const wantKeys = async () => {
      await at(page, 'timeline').focus()
      await page.keyboard.press('?')
    }
    await wantKeys()
    await until(() => asked, (times) => times > 0, 'the question whether it is old, once it is not young', 20_000)
    assert.equal(await page.evaluate(() => window.old), true, 'it is as new as the server, so to begin anew is no help')
    await page.route((url) => url.pathname === '/', async (route) => {
      const answer = await route.fetch()
      await route.fulfill({ response: answer, body: (await answer.text()).replace(/index-[\w-]+\.js/, 'index-other.js') })
    })
    await until(() => page.evaluate(() => window.old).catch(() => true), (old) => old === undefined, 'another page')
    await until(() => at(page, 'composer').inputValue().catch(() => ''), (typed) => typed === '还没写完', 'what was typed')
    missed = 0
    await wantKeys()
    await until(() => missed, (times) => times > 1, 'a part that is missed twice')
    const early = await page.evaluate(() => performance.getEntriesByType('resource').filter((e) => new URL(e.name).pathname === '/' && e.startTime < 10_000).length)
    assert.equal(early, 0, 'a young page does not ask whether to begin anew')
    await page.unroute('**/assets/Keys-*.js')
    await page.getByRole('dialog').waitFor()
  })

  test('without a network there is also what was not shown before; and what was not fetched comes when there is one', async () => {
    const page = await (await house.someone()).tab()
    await page.route('**/assets/Keys-*.js', (route) => route.abort('connectionfailed'))
    await join(page, house.proxy.url, '小满', house.newRoom())
    const fetched = (part) => page.evaluate((name) => performance.getEntriesByType('resource').some((e) => e.name.includes(`/assets/${name}-`) && e.decodedBodySize > 0), part)
    await until(() => fetched('ReportDialog'), Boolean, 'the last of the parts')
    assert.equal(await page.locator('dialog').count(), 0)
    house.proxy.cut()
    await at(page, 'settings').click()
    await at(page, 'sign-out').waitFor()
    await page.keyboard.press('Escape')
    await at(page, 'timeline').focus()
    await page.keyboard.press('?')
    await page.unroute('**/assets/Keys-*.js')
    house.proxy.mend()
    await at(page, 'keys').waitFor()
  })

  test('after an outage both see the same, and the banner counts what was missed', async () => {
    const page = await (await house.someone()).tab()
    const room = house.newRoom()
    await join(page, house.proxy.url, '小满', room)
    await say(page, '在')
    await until(() => rows(page), (r) => r[0]?.state === 'sent', 'sent')
    const talker = await house.server.talker('周屿', room)
    const told = await banners(page)
    house.proxy.cut()
    await at(page, 'connection').getByRole('button', { name: '现在重试' }).waitFor()
    for (let i = 1; i <= 37; i++) await talker.say('第 ' + i)
    house.proxy.mend()
    await retryNow(page)
    await until(told, (t) => t.at(-1) === '已重连，补回 37 条，一条没丢', 'the good news')
    await until(() => texts(page), (t) => t.length === 38 && t.at(-1) === '第 37', 'all of them')
    talker.leave()
  })

  test('a connection that is silently dead is left after five seconds without an answer', async () => {
    const page = await (await house.someone()).tab()
    await join(page, house.proxy.url, '换了网', house.newRoom())
    await say(page, '之前')
    await until(() => rows(page), (r) => r[0]?.state === 'sent', 'before')
    house.proxy.freeze()
    await say(page, '之后')
    assert.equal((await rows(page))[1].state, 'pending')
    await until(() => rows(page), (r) => r.map((m) => m.text + m.state).join() === '之前sent,之后sent', 'sent by a new connection', 9000)
  })

  test('Enter sends, Shift+Enter breaks the line, and Enter while composing does neither', async () => {
    const page = await (await house.someone()).tab()
    await join(page, house.server.url, '输入法', house.newRoom())
    const composer = at(page, 'composer')
    const keyboard = await page.context().newCDPSession(page)
    await composer.focus()
    await keyboard.send('Input.imeSetComposition', { text: 'nihao', selectionStart: 5, selectionEnd: 5 })
    await composer.evaluate((field) => field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true, cancelable: true })))
    await composer.evaluate((field) => field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', keyCode: 229, bubbles: true, cancelable: true })))
    assert.equal((await rows(page)).length, 0)
    await keyboard.send('Input.insertText', { text: '你好' })
    await composer.press('Shift+Enter')
    await composer.pressSequentially('世界')
    assert.equal((await rows(page)).length, 0)
    await composer.press('Enter')
    await until(() => rows(page), (r) => r.length === 1 && r[0].state === 'sent', 'one message')
    assert.equal(await page.locator('.text').innerText(), '你好\n世界')
    await composer.press('Enter')
    assert.equal((await rows(page)).length, 1, 'nothing is sent from an empty composer')
  })

  test('what is typed and not sent is kept per room, also over a reload', async () => {
    const page = await (await house.someone()).tab()
    const [one, two] = [house.newRoom(), house.newRoom()]
    await join(page, house.server.url, '写一半', one)
    await at(page, 'composer').fill('这里写到一半')
    await visit(page, two)
    assert.equal(await at(page, 'composer').inputValue(), '')
    assert.match(await page.locator(`[data-testid=conversation]:has-text("${one}")`).textContent(), /\[草稿\] 这里写到一半/)
    await at(page, 'composer').fill('那里也是')
    await page.reload()
    await until(() => at(page, 'composer').inputValue(), (v) => v === '那里也是', 'the draft of the second')
    await visit(page, one)
    assert.equal(await at(page, 'composer').inputValue(), '这里写到一半')
  })

  test('a message that is too long shows why, and can be taken back to edit or deleted', async () => {
    const page = await (await house.someone()).tab()
    await join(page, house.server.url, '话多', house.newRoom())
    await say(page, '长'.repeat(8001))
    const failed = page.locator('[data-state=failed]')
    await failed.waitFor()
    assert.match(await failed.locator('.why').textContent(), /太长了：8,000 字以内，现在 8,001 字/)
    await say(page, '短的照样发')
    await until(() => rows(page), (r) => r.some((m) => m.text === '短的照样发' && m.state === 'sent'), 'the next one passes')
    await at(page, 'edit-retry').click()
    assert.equal((await at(page, 'composer').inputValue()).length, 8001)
    assert.equal(await failed.count(), 0)
  })

  test('paging up keeps what I read in place, to two pixels', async () => {
    const room = house.newRoom()
    const talker = await house.server.talker('话痨', room)
    for (let i = 1; i <= 260; i++) await talker.say(`第 ${i} 条 ` + '长短不一'.repeat(i % 17))
    const page = await (await house.someone()).tab()
    await join(page, house.server.url, '考古的人', room)
    await until(() => texts(page), (t) => t.at(-1)?.startsWith('第 260 条'), 'the newest')
    let reached = false
    for (let round = 0; round < 12 && !reached; round++) {
      const shift = await page.evaluate(async () => {
        const pane = document.querySelector('[data-testid=timeline]')
        const top = () => pane.getBoundingClientRect().top
        const before = document.querySelectorAll('[data-testid=message]').length
        pane.scrollTop = 40
        const row = [...document.querySelectorAll('[data-testid=message]')].find((r) => r.getBoundingClientRect().bottom > top())
        const stood = row.getBoundingClientRect().top
        for (let i = 0; i < 40 && document.querySelectorAll('[data-testid=message]').length === before; i++) await new Promise((r) => setTimeout(r, 50))
        await new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))
        return row.isConnected ? row.getBoundingClientRect().top - stood : NaN
      })
      assert.ok(Math.abs(shift) <= 2, `shifted by ${shift}`)
      reached = (await texts(page))[0].startsWith('第 1 条')
    }
    assert.ok(reached, 'the beginning is reached')
    const seqs = (await rows(page)).map((r) => r.seq)
    assert.deepEqual(seqs, [...seqs].sort((x, y) => x - y))
    assert.equal(new Set(seqs).size, seqs.length)
    const talked = await talker.say('新的')
    await at(page, 'jump-latest').waitFor()
    assert.match(await at(page, 'jump-latest').textContent(), /1 条新消息/)
    await at(page, 'jump-latest').click()
    await until(() => rows(page), (r) => r.at(-1)?.seq === talked.seq, 'the newest after the jump')
    assert.equal(await at(page, 'jump-latest').count(), 0)
    talker.leave()
  })

  test('unread counts what others said elsewhere, and reading in one tab clears the other', async () => {
    const me = await house.someone()
    const [one, two] = [await me.tab(), await me.tab()]
    const [here, there] = [house.newRoom(), house.newRoom()]
    await join(one, house.server.url, '两个标签', there)
    await say(one, '我在')
    await until(() => rows(one), (r) => r[0]?.state === 'sent', 'sent')
    await visit(one, here)
    await until(() => one.locator('.top h1').textContent(), (h) => h === here, 'the other room')
    await say(one, '我也在这里')
    await two.goto(house.server.url + '/g/' + encodeURIComponent(here))
    await at(two, 'composer').waitFor()
    const talker = await house.server.talker('林晚', there)
    for (const text of ['一', '二', '三']) await talker.say(text)
    const badge = (page) => page.locator(`[data-testid=conversation]:has-text("${there}") [data-testid=unread]`)
    await until(() => badge(one).textContent(), (n) => n === '3', 'three unread in one')
    await until(() => badge(two).textContent(), (n) => n === '3', 'three unread in the other')
    await one.bringToFront()
    await one.locator(`[data-testid=conversation]:has-text("${there}")`).click()
    await until(() => texts(one), (t) => t.join() === '我在,一,二,三', 'read')
    assert.equal(await at(one, 'new-line').count(), 1)
    await until(() => badge(two).count(), (n) => n === 0, 'cleared in the other')
    talker.leave()
  })

  test('languages change at once, no word of the other is left, and the choice stays', async () => {
    const page = await (await house.someone({ locale: 'en-US' })).tab()
    await page.goto(house.server.url)
    assert.equal(await page.evaluate(() => document.documentElement.lang), 'en')
    const han = /\p{Script=Han}/u
    const words = () => page.evaluate(() => {
      const labels = [...document.querySelectorAll('[aria-label], [title], [placeholder]')].flatMap((e) => ['aria-label', 'title', 'placeholder'].map((a) => e.getAttribute(a) ?? ''))
      return document.body.innerText + '\n' + labels.join('\n')
    })
    const others = (text) => text.split('\n').filter((line) => han.test(line) && line !== '中文')
    assert.deepEqual(others(await words()), [])
    await join(page, house.server.url, 'Wren', 'Parlour')
    await say(page, 'hello')
    await until(() => rows(page), (r) => r[0]?.state === 'sent', 'sent')
    await at(page, 'settings').click()
    assert.deepEqual(others(await words()), [])
    await page.getByRole('dialog').getByRole('button', { name: '中文' }).click()
    const chinese = await words()
    assert.equal(await page.evaluate(() => document.documentElement.lang), 'zh-CN')
    assert.match(chinese, /群资料/)
    const left = chinese.split('\n').filter((line) => /[a-z]{3}/i.test(line) && !/Wren|Parlour|hello|English|127\.0\.0\.1|--lan|Qun|Ctrl\+K/.test(line))
    assert.deepEqual(left, [])
    assert.doesNotMatch(chinese, /undefined|\[object|NaN/)
    await page.reload()
    await at(page, 'composer').waitFor()
    assert.equal(await page.evaluate(() => document.documentElement.lang), 'zh-CN')
  })

  test('the theme is there before the first paint', async () => {
    const page = await (await house.someone({ colorScheme: 'dark' })).tab()
    await page.route('**/assets/*.js', () => undefined) // the app never comes
    await page.goto(house.server.url, { waitUntil: 'commit' })
    await page.waitForSelector('#app', { state: 'attached' })
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark')
  })

  for (const viewport of [phone, { width: 320, height: 568 }, { width: 768, height: 1024 }, desk]) {
    test(`nothing overflows sideways at ${viewport.width}×${viewport.height}`, async () => {
      const page = await (await house.someone({ viewport })).tab()
      const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
      await page.goto(house.server.url)
      assert.ok((await overflow()) <= 0, 'the first screen')
      await join(page, house.server.url, '手机上的人有一个相当长的名字', '一个名字长得不得了的房间 '.repeat(3) + viewport.width)
      await say(page, 'https://example.org/' + 'long'.repeat(60))
      await say(page, '```\n' + 'code '.repeat(80) + '\n```')
      await until(() => rows(page), (r) => r.length === 2 && r.every((m) => m.state === 'sent'), 'sent')
      assert.ok((await overflow()) <= 0, 'the room')
      const clipped = await page.evaluate(() => {
        const pane = document.querySelector('[data-testid=timeline]')
        return pane.scrollWidth - pane.clientWidth
      })
      assert.ok(clipped <= 0, 'the timeline')
      if (!(await at(page, 'group-info').isVisible())) await at(page, 'show-info').click()
      await at(page, 'group-info').waitFor()
      assert.ok((await overflow()) <= 0, 'the drawer')
      if (viewport.width >= 640) return
      await at(page, 'close-info').click()
      await at(page, 'back').click()
      await at(page, 'conversations').waitFor()
      assert.ok((await overflow()) <= 0, 'the list')
    })
  }

  test('the page of the smallest client and the app chat with each other in one room', async () => {
    const [app, plain] = [await (await house.someone()).tab(), await (await house.someone()).tab()]
    const room = house.newRoom()
    await join(app, house.server.url, '应用', room)
    await plain.goto(house.server.url + '/plain')
    await plain.fill('#nickName', '小页面')
    await plain.fill('#roomName', room)
    await plain.click('#join button')
    await until(() => plain.locator('#messages').innerText(), (t) => t.includes('小页面 加入了'), 'the line of its joining')
    await plain.fill('#message', '从小页面来')
    await plain.press('#message', 'Enter')
    await until(() => texts(app), (t) => t.join() === '从小页面来', 'at the app')
    await say(app, '从应用来')
    await until(() => plain.locator('#messages').innerText(), (t) => t.includes('应用：从应用来'), 'at the page')
  })
})
