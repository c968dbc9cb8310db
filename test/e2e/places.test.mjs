import assert from 'node:assert/strict'
import { test } from 'node:test'
import { at, join, rows, say, until, visit } from './support/browser.mjs'
import { suite } from './support/suite.mjs'

suite('places', (house) => {
  const heading = (page) => page.locator('.top h1').textContent()

  test('the switcher finds rooms by name and pinyin, with the keyboard alone', async () => {
    const page = await (await house.someone()).tab()
    await join(page, house.server.url, '小满', '发布列车')
    await visit(page, '大厅')
    await page.keyboard.press('Control+k')
    await at(page, 'switcher-field').waitFor()
    await page.keyboard.type('fblc')
    await until(() => at(page, 'switcher-option').first().textContent(), (t) => t.includes('发布列车'), 'the room by its initials')
    await page.keyboard.press('Enter')
    await until(() => heading(page), (h) => h === '发布列车', 'the room')
    await page.keyboard.press('Alt+ArrowUp')
    await until(() => heading(page), (h) => h === '大厅', 'the room above')
    await page.keyboard.press('Control+k')
    await page.keyboard.press('Escape')
    await until(() => at(page, 'switcher').count(), (n) => n === 0, 'closed')
  })

  test('the switcher lists the rooms that everybody may find, with how many are there', async () => {
    const host = await house.server.hand('开店的', '夜市一条街')
    await host.say('开张')
    const page = await (await house.someone()).tab()
    await join(page, house.server.url, '小满', house.newRoom())
    await at(page, 'find').click()
    await at(page, 'switcher-field').fill('夜市')
    const there = at(page, 'switcher-option').filter({ hasText: '一条街' })
    await until(() => there.textContent(), (t) => t.includes('1 人'), 'how many')
    await at(page, 'switcher-field').fill('夜市一条街')
    await until(() => page.locator('#to-walk').textContent(), (t) => t.includes('1 人'), 'the very one is walked into')
    const others = page.locator('[data-testid=switcher-option]:not(#to-search):not(#to-walk)')
    await until(() => others.count(), (n) => n === 0, 'it is listed once, and what was found before is gone')
    await at(page, 'switcher-field').fill('夜市')
    await there.click()
    await until(() => heading(page), (h) => h === '夜市一条街', 'the room')
  })

  test('a question mark lists the keys, but not in a field', async () => {
    const page = await (await house.someone()).tab()
    await join(page, house.server.url, '小满', house.newRoom())
    await at(page, 'composer').pressSequentially('?')
    assert.equal(await at(page, 'composer').inputValue(), '?')
    assert.equal(await at(page, 'keys').count(), 0)
    await at(page, 'timeline').focus()
    await page.keyboard.press('?')
    await at(page, 'keys').waitFor()
  })

  test('what was said is found by two characters, and a hit leads there and pages both ways', async () => {
    const page = await (await house.someone()).tab()
    const room = house.newRoom()
    await join(page, house.server.url, '小满', room)
    await say(page, '我家在上海东边')
    await until(() => rows(page), (r) => r[0]?.state === 'sent', 'sent')
    const [{ seq }] = await rows(page)
    const talker = await house.server.talker('话多的人', room)
    for (let i = 0; i < 260; i++) await talker.say('第 ' + i)
    talker.leave()
    await page.reload()
    await at(page, 'composer').waitFor()
    await page.keyboard.press('Control+f')
    await at(page, 'search-field').fill('上海')
    const hit = at(page, 'hit').first()
    await hit.waitFor()
    assert.equal(await hit.locator('mark').textContent(), '上海')
    await hit.click()
    const found = page.locator(`[data-seq="${seq}"]`)
    await found.waitFor()
    await until(() => found.evaluate((e) => e.classList.contains('target')), Boolean, 'the mark on it')
    assert.equal(new URL(page.url()).pathname.endsWith('/' + seq), true)
    for (let last = 0; ;) {
      await at(page, 'timeline').evaluate((pane) => (pane.scrollTop = pane.scrollHeight))
      const now = (await rows(page)).at(-1).seq
      if (now >= seq + 200) break
      if (now > last) last = now
      await page.waitForTimeout(50)
    }
  })

  test('a link to a message opens it for somebody else', async () => {
    const [me, friend] = [await (await house.someone()).tab(), await (await house.someone()).tab()]
    const room = house.newRoom()
    await join(me, house.server.url, '小满', room)
    await say(me, '就是这句')
    await until(() => rows(me), (r) => r[0]?.state === 'sent', 'sent')
    const [{ seq }] = await rows(me)
    await friend.goto(`${house.server.url}/g/${encodeURIComponent(room)}/${seq}`)
    await at(friend, 'nickname').fill('林晚')
    await at(friend, 'join').click()
    await until(() => friend.locator('.message.target').textContent().catch(() => ''), (t) => t.includes('就是这句'), 'the message, marked')
  })
})
