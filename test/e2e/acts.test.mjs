import assert from 'node:assert/strict'
import { test } from 'node:test'
import { at, join, phone, rows, say, texts, until } from './support/browser.mjs'
import { suite } from './support/suite.mjs'

suite('acts', (house) => {
  const row = (page, text) => page.locator('[data-testid=message]').filter({ hasText: text }).last()
  const menu = async (page, text) => {
    await row(page, text).click({ button: 'right' })
    await at(page, 'message-menu').waitFor()
  }
  /** Two people in a room in which both have spoken. */
  const two = async (how = {}) => {
    const [a, b] = [await (await house.someone(how)).tab(), await (await house.someone()).tab()]
    const room = house.newRoom()
    await join(a, house.server.url, '林晚', room)
    await join(b, house.server.url, '小满', room)
    await say(a, '甲的话')
    await until(() => texts(b), (t) => t.includes('甲的话'), 'the first')
    await say(b, '乙的话')
    await until(() => rows(a), (r) => r.length === 2 && r.every((m) => m.state === 'sent'), 'both')
    return [a, b, room]
  }

  test('a reply shows what it answers, and leads there', async () => {
    const [a, b] = await two()
    await menu(a, '乙的话')
    await at(a, 'act-reply').click()
    await say(a, '我同意')
    const quote = row(b, '我同意').locator('[data-testid=quote]')
    await until(() => quote.textContent().catch(() => ''), (t) => t.includes('乙的话'), 'the quote')
    await quote.click()
    await until(() => row(b, '乙的话').first().evaluate((e) => e.className), () => true, 'the row')
    await until(() => b.locator('.message.target').count(), (n) => n === 1, 'the mark')
  })

  test('a reaction appears at once, at the other too, and goes again', async () => {
    const [a, b] = await two()
    await menu(a, '乙的话')
    await at(a, 'quick-reaction').first().click()
    await until(() => row(a, '乙的话').locator('[data-testid=reaction]').getAttribute('aria-pressed'), (p) => p === 'true', 'mine')
    const theirs = row(b, '乙的话').locator('[data-testid=reaction]')
    await until(() => theirs.textContent().catch(() => ''), (t) => t === '👍1', 'at the other')
    assert.equal(await theirs.getAttribute('aria-pressed'), 'false')
    await theirs.click()
    await until(() => row(a, '乙的话').locator('[data-testid=reaction]').textContent(), (t) => t === '👍2', 'two')
    await row(a, '乙的话').locator('[data-testid=reaction]').click()
    await theirs.click()
    await until(() => at(a, 'reaction').count(), (n) => n === 0, 'none')
  })

  test('my last message is edited by an upward arrow, and is marked so', async () => {
    const [a, b] = await two()
    await at(a, 'composer').focus()
    await a.keyboard.press('ArrowUp')
    assert.equal(await at(a, 'composer').inputValue(), '甲的话')
    await at(a, 'composer').fill('甲改了主意')
    await a.keyboard.press('Enter')
    await until(() => texts(b), (t) => t.some((x) => x.startsWith('甲改了主意') && x.includes('已编辑')), 'the edit at the other')
    assert.equal(await at(a, 'composer').inputValue(), '')
  })

  test('what is unsent is gone for both, and can be written anew by me', async () => {
    const [a, b] = await two()
    await menu(a, '甲的话')
    await at(a, 'act-recall').click()
    await until(() => b.locator('[data-testid=line]').allTextContents(), (l) => l.some((t) => t.includes('林晚 撤回了一条消息')), 'the line at the other')
    assert.ok(!(await texts(b)).includes('甲的话'))
    await at(a, 'reedit').click()
    assert.equal(await at(a, 'composer').inputValue(), '甲的话')
  })

  test('every act by keyboard alone', async () => {
    const [a, b] = await two()
    await at(a, 'timeline').focus()
    await a.keyboard.press('ArrowUp')
    await a.keyboard.press('ArrowUp')
    await a.keyboard.press('e')
    assert.equal(await at(a, 'composer').inputValue(), '甲的话')
    await a.keyboard.press('Escape')
    await at(a, 'timeline').focus()
    await a.keyboard.press('ArrowUp')
    await a.keyboard.press('Enter')
    await at(a, 'message-menu').waitFor()
    await a.keyboard.press('ArrowUp')
    await until(() => a.evaluate(() => document.activeElement.closest('[role=menu]') !== null), Boolean, 'the focus in the menu')
    await a.keyboard.press('Escape')
    await until(() => a.evaluate(() => document.activeElement.dataset.testid), (id) => id === 'message', 'the focus back on the row')
    await a.keyboard.press('r')
    await a.keyboard.type('键盘')
    await a.keyboard.press('Enter')
    await until(() => texts(b), (t) => t.includes('键盘'), 'the reply')
  })

  test('who is mentioned from the list sees it marked, and the list knows pinyin', async () => {
    const [a, b, room] = await two()
    await at(b, 'find').click()
    await at(b, 'switcher-field').fill(house.newRoom())
    await b.locator('#to-walk').click()
    await at(a, 'composer').fill('')
    await at(a, 'composer').pressSequentially('看看 @xm')
    await at(a, 'mention-option').first().waitFor()
    await a.keyboard.press('Enter')
    await a.keyboard.type('好吗')
    await a.keyboard.press('Enter')
    const conversation = b.locator('[data-testid=conversation]').filter({ hasText: room })
    await until(() => conversation.textContent(), (t) => t.includes('[有人@我]'), 'the mark in the list')
    await conversation.click()
    await until(() => b.locator('.message.to-me .mention.mine').textContent().catch(() => ''), (t) => t === '@小满', 'the name, marked')
  })

  test('a name that is typed out calls who alone bears it, as long as it stands there; in code it calls nobody', async () => {
    const [a, b] = await two()
    await say(a, '`@小满` 不算')
    await say(a, '请@小满看一下')
    const called = b.locator('[data-testid=message].to-me')
    const sent = (text) => until(() => rows(a), (all) => all.at(-1).text.startsWith(text) && all.at(-1).state === 'sent', text)
    await until(() => called.locator('.mention.mine').allTextContents(), (all) => all.join() === '@小满', 'the name, marked')
    await sent('请@小满看一下')
    await at(a, 'composer').press('ArrowUp')
    await say(a, '请@小满看一眼')
    await until(() => called.allTextContents(), (all) => all.length === 1 && all[0].includes('看一眼'), 'edited, and still called')
    await sent('请@小满看一眼')
    await at(a, 'composer').press('ArrowUp')
    await say(a, '不看了')
    await until(() => called.count(), (n) => n === 0, 'called no more')
    await say(a, 'a@小满.com')
    await until(() => texts(b), (all) => all.includes('a@小满.com'), 'a mail address')
    assert.equal(await called.count(), 0)
  })

  test('who is writing is told for a while', async () => {
    const [, b, room] = await two()
    const c = await (await house.someone()).tab() // the others' writing was told a moment ago, and is not told again at once
    await join(c, house.server.url, '周屿', room)
    await at(c, 'composer').pressSequentially('想')
    await until(() => at(b, 'typing').textContent().catch(() => ''), (t) => t.includes('周屿 正在输入'), 'the line')
    await say(c, '想好了')
    await until(() => at(b, 'typing').count(), (n) => n === 0, 'gone with the message')
  })

  test('a message is forwarded to another room', async () => {
    const [a, b, room] = await two()
    const other = house.newRoom()
    await at(a, 'find').click()
    await at(a, 'switcher-field').fill(other)
    await a.locator('#to-walk').click()
    await say(a, '我在这里也说过话')
    await until(() => rows(a), (r) => r[0]?.state === 'sent', 'spoken there')
    await a.locator('[data-testid=conversation]').filter({ hasText: room }).click()
    await menu(a, '乙的话')
    await at(a, 'act-forward').click()
    await a.locator('[data-testid=forward-to]').filter({ hasText: other }).click()
    await a.locator('[data-testid=conversation]').filter({ hasText: other }).click()
    await until(() => texts(a), (t) => t.includes('乙的话'), 'forwarded')
    await b.close()
  })

  test('on a phone the menu is a sheet that a long press opens', async () => {
    const [a] = await two({ viewport: phone })
    const box = await row(a, '乙的话').locator('.text').boundingBox()
    await a.evaluate(({ x, y }) => {
      const target = document.elementFromPoint(x, y)
      target.dispatchEvent(new PointerEvent('pointerdown', { bubbles: true, pointerType: 'touch', clientX: x, clientY: y }))
    }, { x: box.x + 5, y: box.y + 5 })
    await at(a, 'message-menu').waitFor()
    const sheet = await at(a, 'message-menu').boundingBox()
    assert.equal(Math.round(sheet.y + sheet.height), phone.height)
    assert.equal(Math.round(sheet.width), phone.width)
  })
})
