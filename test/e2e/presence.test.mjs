import assert from 'node:assert/strict'
import { test } from 'node:test'
import { at, makeGroup, register, rows, say, texts, until, visit } from './support/browser.mjs'
import { suite } from './support/suite.mjs'

suite('who is here', (house) => {
  let members = 0
  const member = async (nickName, how) => {
    const p = await house.someone(how)
    const page = await p.tab()
    await register(page, house.server.url, 'here' + ++members, nickName)
    return { page, leave: () => page.goto('about:blank') }
  }
  const person = (page, name) => page.locator('[data-testid=person]').filter({ hasText: name })
  const dot = async (place) => (await place.locator('[data-testid=presence]').count()) > 0 && (await place.locator('[data-testid=presence]').first().getAttribute('aria-label'))

  test('a dot comes and goes with people: in the list of members, on their card, and in a talk of two', async () => {
    const [a, b] = [await member('林晚'), await member('周屿')]
    await makeGroup(a.page, '编辑部', 'open')
    await visit(b.page, '编辑部')
    await say(b.page, '在')
    await until(() => dot(person(a.page, '周屿')), (d) => d === '在线', 'online in the list')
    await person(a.page, '周屿').click()
    await until(() => at(a.page, 'member-card').textContent(), (t) => t.includes('在线'), 'online on the card')
    await at(a.page, 'talk').click()
    await until(() => at(a.page, 'room-people').textContent(), (t) => t === '在线', 'online in the head')
    const row = a.page.locator('[data-testid=conversation]').filter({ hasText: '周屿' }).first()
    assert.equal(await dot(row), '在线')
    await b.leave()
    await until(() => at(a.page, 'room-people').textContent(), (t) => t === '刚刚在线', 'gone, and since when', 15_000)
    assert.equal(await dot(row), false)
    await a.page.reload() // now it is the server that knows
    await until(() => at(a.page, 'room-people').textContent().catch(() => ''), (t) => t === '刚刚在线', 'still known')
  })

  test('in English, too; and my newest message says that it was read, live', async () => {
    const [a, b] = [await member('Mara', { locale: 'en-US' }), await member('Tomo', { locale: 'en-US' })]
    await makeGroup(a.page, 'Two of us', 'open')
    await visit(b.page, 'Two of us')
    await say(b.page, 'here')
    await person(a.page, 'Tomo').click()
    await until(() => at(a.page, 'member-card').textContent(), (t) => t.includes('Online'), 'online')
    const before = a.page.url()
    await at(a.page, 'talk').click()
    await until(() => a.page.url(), (url) => url !== before, 'the talk of two')
    await say(a.page, 'are you coming?')
    await until(() => rows(a.page), (r) => r.at(-1)?.state === 'sent', 'sent')
    assert.equal(await at(a.page, 'receipt').count(), 0, 'nobody has read it')
    await b.page.locator('[data-testid=conversation]').filter({ hasText: 'are you coming?' }).click()
    await until(() => at(a.page, 'receipt').textContent().catch(() => ''), (t) => t.trim() === 'Read', 'read')
    await say(a.page, 'and when?')
    await until(() => a.page.locator('article:has([data-testid=receipt])').textContent().catch(() => ''), (t) => t.includes('and when?'), 'the newest')
    await a.page.reload()
    await until(() => a.page.locator('article:has([data-testid=receipt])').textContent().catch(() => ''), (t) => t.includes('and when?'), 'after a reload')
  })

  test('a group counts who has read, and says who', async () => {
    const people = [await member('苏禾'), await member('北川'), await member('阿澈')]
    const [a, b, c] = people.map((p) => p.page)
    await makeGroup(a, '读书会三', 'open')
    for (const page of [b, c]) {
      await visit(page, '读书会三')
      await say(page, '在')
      await until(() => rows(page), (r) => r.at(-1)?.state === 'sent', 'a member')
    }
    await c.goto(house.server.url + '/') // reads no more
    await until(() => texts(a), (t) => t.length === 2, 'both')
    await say(a, '下周读第七章')
    await until(() => at(a, 'receipt').textContent().catch(() => ''), (t) => t.trim() === '1', 'one')
    await a.locator('article:has([data-testid=receipt])').hover()
    await at(a, 'tool-read-by').click() // in the place of the count, while the pointer is there
    await until(() => at(a, 'reader').allTextContents(), (all) => all.join().trim() === '北川', 'who')
    await c.locator('[data-testid=conversation]').filter({ hasText: '读书会三' }).click()
    await until(() => at(a, 'reader').allTextContents(), (all) => all.length === 2, 'the list grows while it is open')
    await a.keyboard.press('Escape')
    await until(() => at(a, 'receipt').getAttribute('aria-label'), (l) => l === '2 人已读', 'two')
  })
})
