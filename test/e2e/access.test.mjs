import assert from 'node:assert/strict'
import { test } from 'node:test'
import { at, join, rows, say, texts, until, visit } from './support/browser.mjs'
import { suite } from './support/suite.mjs'

suite('without a mouse', (house) => {
  const focused = (page) => page.evaluate(() => {
    const on = document.activeElement
    return on.dataset.testid ?? on.getAttribute('aria-label') ?? on.tagName
  })
  /** A group of mine, in which a guest has spoken; I have another room, too. */
  const scene = async () => {
    const page = await (await house.someone()).tab()
    const [room, other] = [house.newRoom(), house.newRoom()]
    await join(page, house.server.url, '键盘手', other)
    await say(page, '我在这里也说过')
    await until(() => rows(page), (r) => r[0]?.state === 'sent', 'sent')
    await visit(page, room)
    await say(page, '我的话')
    const hand = await house.server.hand('林晚', room)
    await hand.say('别人的话')
    await until(() => rows(page), (r) => r.length === 2 && r.every((m) => m.state === 'sent'), 'both')
    return { page, hand, room, other }
  }
  /** From the timeline to that many messages above the end, and into its menu. */
  const open = async (page, up) => {
    await at(page, 'timeline').focus()
    for (let i = 0; i < up; i++) await page.keyboard.press('ArrowUp')
    await until(() => focused(page), (f) => f === 'message', 'a message')
    await page.keyboard.press('Enter')
    await at(page, 'message-menu').waitFor()
  }
  const choose = async (page, up, act) => {
    await open(page, up)
    for (let i = 0; i < 30 && (await focused(page)) !== act; i++) await page.keyboard.press('ArrowDown')
    assert.equal(await focused(page), act)
    await page.keyboard.press('Enter')
  }
  const back = (page) => until(() => focused(page), (f) => f === 'message', 'the focus back on the message')

  test('every act on a message, from the menu by its keys, and the focus comes back', async () => {
    const { page, hand, other } = await scene()
    const last = () => texts(page).then((t) => t.at(-1))
    await open(page, 1)
    assert.equal(await focused(page), 'act-reply', 'the menu opens on its first entry')
    await page.keyboard.press('Escape')
    await back(page)

    await choose(page, 1, 'quick-reaction')
    await until(() => at(page, 'reaction').count(), (n) => n === 1, 'react')
    await back(page)
    await choose(page, 1, 'more-reactions')
    await until(() => focused(page), (f) => f === 'emoji-find', 'the search for an emoji')
    await page.locator('.emoji-grid button').first().waitFor()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await until(() => at(page, 'reaction').count(), (n) => n === 2, 'another reaction')
    await back(page)

    await choose(page, 1, 'act-reply')
    await until(() => focused(page), (f) => f === 'composer', 'the composer')
    await page.keyboard.type('回')
    await page.keyboard.press('Enter')
    await until(last, (t) => t === '回', 'reply')
    await until(() => at(page, 'quote').count(), (n) => n === 1, 'with what it answers')
    await choose(page, 1, 'act-edit')
    await page.keyboard.type('了')
    await page.keyboard.press('Enter')
    await until(last, (t) => t === '回了已编辑', 'edit')
    await choose(page, 1, 'act-copy')
    await choose(page, 1, 'act-link')
    await choose(page, 1, 'act-recall')
    await until(() => at(page, 'reedit').count(), (n) => n === 1, 'recall')
    await until(() => rows(page), (r) => r.length === 2, 'two are left')
    await at(page, 'reedit').focus()
    await page.keyboard.press('Enter')
    await until(() => at(page, 'composer').inputValue(), (v) => v === '回了', 'edit again')
    await at(page, 'composer').fill('')

    await choose(page, 1, 'act-mention')
    await until(() => at(page, 'composer').inputValue(), (v) => v === '@林晚 ', 'mention')
    await at(page, 'composer').fill('')
    await choose(page, 1, 'act-readBy')
    await page.locator('dialog[open]').waitFor()
    await page.keyboard.press('Escape')
    await back(page)
    await choose(page, 1, 'act-report')
    await until(() => focused(page), (f) => f === 'report-reason', 'the reason')
    await page.keyboard.type('广告')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.locator('dialog[open] [role=status]').waitFor()
    await page.keyboard.press('Escape')
    await back(page)
    await choose(page, 1, 'act-forward')
    await page.locator('dialog[open]').waitFor()
    const onOther = () => page.evaluate((other) => document.activeElement.textContent.includes(other), other)
    for (let i = 0; i < 10 && !(await onOther()); i++) await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.locator('[data-testid=conversation]').filter({ hasText: other }).filter({ hasText: '别人的话' }).waitFor()
    hand.leave()
  })

  test('pinning, by the keys, where one may', async () => {
    const page = await (await house.someone()).tab()
    await page.goto(house.server.url + '/account')
    await at(page, 'to-register').click()
    await at(page, 'username').fill('keys')
    await at(page, 'nickname').fill('群主')
    await at(page, 'password').fill('a long secret')
    await page.keyboard.press('Enter')
    await at(page, 'conversations').waitFor()
    await page.keyboard.press('Control+k')
    await until(() => focused(page), (f) => f === 'switcher-field', 'the switcher')
    await page.keyboard.type('钉子')
    await page.locator('#to-make').waitFor()
    for (let i = 0; i < 10 && (await page.locator('#to-make').getAttribute('aria-selected')) !== 'true'; i++) await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await until(() => focused(page), (f) => f === 'new-name', 'the name')
    await page.keyboard.press('Enter')
    await at(page, 'composer').waitFor()
    await at(page, 'composer').focus()
    await page.keyboard.type('钉住这句')
    await page.keyboard.press('Enter')
    await until(() => rows(page), (r) => r[0]?.state === 'sent', 'sent')
    await choose(page, 1, 'act-pin')
    await at(page, 'pinned').waitFor()
  })

  test('one stop for all messages, the focus stays in a dialog, and what is read aloud is only what arrives', async () => {
    const { page, hand } = await scene()
    await at(page, 'timeline').focus()
    await page.keyboard.press('ArrowUp')
    await page.keyboard.press('ArrowUp')
    await page.keyboard.press('End')
    assert.equal(await page.evaluate(() => document.activeElement.querySelector('.text').textContent), '别人的话')
    await page.keyboard.press('Tab')
    assert.equal(await page.evaluate(() => document.activeElement.closest('article') === null), true, 'one Tab leads out of the timeline')
    await page.keyboard.press('Shift+Tab')
    assert.equal(await page.evaluate(() => document.activeElement.closest('[role=log]') !== null), true, 'and one leads back')

    await page.keyboard.press('Control+k')
    await at(page, 'switcher-field').waitFor()
    for (let i = 0; i < 12; i++) {
      await page.keyboard.press('Tab')
      assert.equal(await page.evaluate(() => document.activeElement === document.body || document.activeElement.closest('dialog') !== null), true, 'the focus left the dialog')
    }
    await page.keyboard.press('Escape')
    await at(page, 'settings').focus()
    await page.keyboard.press('Enter')
    await page.locator('dialog[open]').waitFor()
    await page.keyboard.press('Escape')
    await until(() => focused(page), (f) => f === 'settings', 'the focus where it was')

    assert.equal(await at(page, 'timeline').getAttribute('aria-live'), 'off')
    await page.bringToFront()
    const aloud = page.locator('main > [aria-live=polite].visually-hidden')
    await hand.say('听见了吗')
    await until(() => aloud.textContent(), (t) => t.includes('听见了吗'), 'read aloud')
    hand.leave()
  })

  test('who wants less motion sees none', async () => {
    const page = await (await house.someone({ reducedMotion: 'reduce' })).tab()
    const room = house.newRoom()
    await join(page, house.proxy.url, '静静', room)
    await say(page, '在')
    await until(() => rows(page), (r) => r[0]?.state === 'sent', 'sent')
    await page.evaluate(() => {
      window.motions = []
      const note = () => {
        for (const a of document.getAnimations()) if (a.effect.getComputedTiming().activeDuration > 20) window.motions.push(a.animationName ?? a.transitionProperty)
        requestAnimationFrame(note)
      }
      note()
    })
    await page.locator('[data-testid=message] .text').click({ button: 'right' })
    await at(page, 'message-menu').waitFor()
    await page.keyboard.press('Escape')
    await page.keyboard.press('Control+k')
    await page.keyboard.press('Escape')
    house.proxy.cut()
    await at(page, 'connection').waitFor()
    house.proxy.mend()
    await page.waitForSelector('[data-testid=connection][data-state=back]')
    await page.waitForTimeout(100)
    assert.deepEqual(await page.evaluate(() => [...new Set(window.motions)]), [])
  })
})
