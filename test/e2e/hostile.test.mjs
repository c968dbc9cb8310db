import assert from 'node:assert/strict'
import { test } from 'node:test'
import { at, join, phone, until } from './support/browser.mjs'
import { hostile } from './support/hostile.mjs'
import { suite } from './support/suite.mjs'

// That no dialog opens, no policy is broken and nothing is asked of another origin, the suite itself sees to.
suite('hostile', (house) => {
  /** Whatever in the page could be run, lead away or leave its place. */
  const evil = (page) => page.evaluate(() => {
    const bad = [...document.querySelectorAll('#app ~ script:not([src]), #app :is(script, iframe, object, embed, base, meta, style, template, math), .text :is(img, form, input), [onerror], [onload], [onclick]')].map((e) => e.outerHTML)
    for (const a of document.querySelectorAll('a[href]')) {
      const { protocol, origin } = new URL(a.href, location.href)
      if (!/^(https?|mailto):$/.test(protocol)) bad.push('leads to ' + a.href)
      if (origin !== location.origin && !/noopener/.test(a.rel)) bad.push('can reach back: ' + a.href)
    }
    for (const pane of [document.documentElement, ...document.querySelectorAll('.timeline, .info-body, .conversations, .top, .composer')]) {
      if (pane.scrollWidth > pane.clientWidth + 1) bad.push('wider than its place: ' + (pane.className || pane.tagName))
    }
    return bad
  })
  /** What a row says, without the marks that Markdown takes away. */
  const plain = (text) => text.replace(/[\s*`>|\-_~[\]()!<#]/gu, '')

  test('said by people of such names, and answered: text stays text, at a desk and on a phone', async () => {
    const room = house.newRoom()
    const [wide, narrow] = [await (await house.someone()).tab(), await (await house.someone({ viewport: phone })).tab()]
    await join(wide, house.server.url, '看着的人', room)
    await join(narrow, house.server.url, '也看着的人', room)
    const other = await house.server.hand('回话的人', room)
    const refused = []
    for (const text of hostile) {
      const one = await house.server.hand(text, room)
      const said = await one.say(text).catch((err) => refused.push([text, err.message]) && undefined)
      if (said) {
        assert.equal(said.message, text.toWellFormed(), 'the server keeps what was said')
        await other.say('答', { replyTo: said.seq })
      }
      one.leave()
    }
    assert.deepEqual(refused.map(([text]) => text), ['a\u0000b'], 'only what no database keeps is refused: ' + JSON.stringify(refused))
    const count = 2 * (hostile.length - 1)
    for (const page of [wide, narrow]) {
      const rows = page.locator('[data-testid=message]')
      await until(() => rows.count(), (n) => n === count, 'all of it')
      const shown = await rows.evaluateAll((all) => all.map((row) => row.querySelector('.text')?.textContent ?? ''))
      hostile.filter((text) => text !== 'a\u0000b').forEach((text, i) => {
        const wanted = plain(text.toWellFormed().replace(/^```html/, '').replace(/\]\(https[^)]*\)+/, "]").replaceAll('---', ''))
        assert.ok(plain(shown[2 * i]).includes(wanted.slice(0, 40)), `${JSON.stringify(text)} is shown as ${JSON.stringify(shown[2 * i])}`)
      })
      assert.deepEqual(await evil(page), [])
      await page.getByTestId('timeline').evaluate((pane) => (pane.scrollTop = 0))
      assert.deepEqual(await evil(page), [])
    }
    other.leave()
  })

  test('as names of rooms', async () => {
    const page = await (await house.someone()).tab()
    await join(page, house.server.url, '串门的人', house.newRoom())
    const other = await house.server.hand('站在门口', house.newRoom())
    for (const text of hostile) {
      const entered = await other.enter(text)
      if (!entered.ok) {
        assert.equal(entered.error.code, 'INVALID', JSON.stringify(text))
        assert.ok(entered.error.message.length > 5, 'it is said why')
        continue
      }
      await page.goto(house.server.url + '/g/' + entered.group.groupId)
      await until(() => page.locator('.top h1').textContent().catch(() => ''), (h) => h === entered.group.name, text)
      assert.deepEqual(await evil(page), [], text)
    }
    other.leave()
  })

  test('as announcements of a group, and as its topic', async () => {
    const page = await (await house.someone()).tab()
    const owner = await house.server.member('owner', '群主')
    const { groupId } = (await owner.ask('createGroup', { name: '公告墙', visibility: 'open', joining: 'open' })).group
    await join(page, house.server.url, '看公告', house.newRoom())
    await page.goto(house.server.url + '/g/' + groupId)
    await at(page, 'composer').waitFor()
    for (const text of hostile) {
      const answer = await owner.try('updateGroup', { groupId, announcement: text, topic: text.slice(0, 60) })
      if (!answer.ok) {
        assert.equal(answer.error.code, 'INVALID', JSON.stringify(text))
        continue
      }
      await until(() => at(page, 'announcement').textContent().catch(() => ''), (t) => plain(t).includes(plain(answer.group.announcement).slice(0, 30)), text)
      assert.deepEqual(await evil(page), [], text)
    }
    owner.leave()
  })

  test('as names of files', async () => {
    const [page, other] = [await (await house.someone()).tab(), await (await house.someone({ viewport: phone })).tab()]
    const room = house.newRoom()
    await join(page, house.server.url, '发文件的人', room)
    await join(other, house.server.url, '收文件的人', room)
    const types = ['text/html', 'image/svg+xml', 'text/plain', 'application/pdf']
    for (let i = 0; i < hostile.length; i += 9) {
      await at(page, 'file-picker').setInputFiles(hostile.slice(i, i + 9).map((name, k) => ({ name: name.replaceAll('\u0000', ''), mimeType: types[k % 4], buffer: Buffer.from('<script>alert(23)</script>') })))
      await at(page, 'send').click()
    }
    await until(() => at(other, 'file').count(), (n) => n === hostile.length, 'all files', 20_000)
    for (const p of [page, other]) assert.deepEqual(await evil(p), [])
    const links = await at(other, 'file').evaluateAll((all) => all.map((f) => (f.closest('a') ?? f.querySelector('a'))?.href))
    for (const link of links.slice(0, 8)) {
      const answer = await fetch(link)
      assert.match(answer.headers.get('content-disposition'), /^attachment/, link)
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
    }
  })
})
