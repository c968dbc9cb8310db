import assert from 'node:assert/strict'
import { test } from 'node:test'
import { at, join, rows, until } from './support/browser.mjs'
import { held, openRoom } from './support/model.mjs'
import { suite } from './support/suite.mjs'

suite('bounds', (house) => {
  const all = 10_000

  /** Pages up until there is nothing above, or to so many steps; tells the worst that was seen on the way. */
  const climb = async (page, steps = Infinity) => page.evaluate(async ({ steps, room }) => {
    const pane = document.querySelector('[data-testid=timeline]')
    const column = pane.firstElementChild
    const first = () => column.querySelector('[data-testid=message]')?.dataset.seq
    const frame = () => new Promise((done) => requestAnimationFrame(done))
    const worst = { shift: 0, elements: 0, steps: 0 }
    const sight = new MutationObserver(() => (worst.elements = Math.max(worst.elements, column.children.length)))
    sight.observe(column, { childList: true })
    while (worst.steps < steps) {
      const before = first()
      pane.scrollTop = 30
      const { top } = pane.getBoundingClientRect()
      const row = [...column.querySelectorAll('[data-testid=message]')].find((r) => r.getBoundingClientRect().bottom > top)
      const stood = row.getBoundingClientRect().top
      let waited = 0
      for (; (waited < 100 || room.loading) && first() === before; waited++) await new Promise((done) => setTimeout(done, 10))
      if (first() === before) break
      await frame()
      await frame()
      if (row.isConnected) worst.shift = Math.max(worst.shift, Math.abs(row.getBoundingClientRect().top - stood))
      worst.steps++
    }
    sight.disconnect()
    return worst
  }, { steps, room: await openRoom(page) })

  test('ten thousand messages, scrolled through: the place is kept to two pixels, the page and the memory stay small, and all is exact', async () => {
    const room = house.newRoom()
    const owner = await (await house.server.member('owner', '馆长')).into(room) // may recall what others said however long ago
    const hand = await house.server.hand('话痨', room)
    const said = []
    for (let i = 1; i <= all; i += 200) {
      said.push(...(await Promise.all(Array.from({ length: 200 }, (_, k) => hand.say(`第 ${i + k} 条 ` + '长短不一'.repeat((i + k) % 9))))))
    }
    const [oldest, middle, newest] = [said[0], said[all / 2], said[all - 1]]
    const page = await (await house.someone()).tab()
    const devtools = await page.context().newCDPSession(page)
    const heap = async () => {
      await devtools.send('HeapProfiler.collectGarbage')
      return (await devtools.send('Runtime.getHeapUsage')).usedSize / 2 ** 20
    }
    await join(page, house.server.url, '考古的人', room)
    await until(() => rows(page), (r) => r.at(-1)?.seq === newest.seq, 'the newest')
    const before = await heap()

    const worst = await climb(page)
    assert.ok(worst.steps > 150, `${worst.steps} steps`)
    assert.equal((await rows(page))[0].seq, oldest.seq, 'the beginning is reached')
    assert.ok(worst.shift <= 2, `shifted by ${worst.shift} px`)
    assert.ok(worst.elements <= 450, `${worst.elements} elements`)
    const model = await held(page)
    assert.ok(model.rows.length <= 1550, `${model.rows.length} rows held`)
    const grown = (await heap()) - before
    assert.ok(grown < 60, `grown by ${grown.toFixed(1)} MB`)

    // What has changed meanwhile in rows that were let go, is there when they come again.
    await hand.edit(middle.seq, '改过的，已经放下的那条')
    await owner.recall(said[all / 2 + 3].seq)
    await page.goto(`${page.url().replace(/\/\d+$/, '')}/${oldest.seq}`)
    await until(() => page.locator('.message.target').count(), (n) => n === 1, 'the oldest')
    await page.evaluate((seq) => {
      history.pushState(null, '', location.pathname.replace(/\/\d+$/, '') + '/' + seq)
      dispatchEvent(new PopStateEvent('popstate'))
    }, middle.seq)
    const target = page.locator('.message.target')
    await until(() => target.textContent().catch(() => ''), (t) => t.includes('改过的，已经放下的那条'), 'the edit')
    assert.ok((await climb(page, 6)).shift <= 2, 'the place is kept after a jump, too')
    const seqs = (await rows(page)).map((r) => r.seq)
    assert.deepEqual(seqs, [...new Set(seqs)].sort((x, y) => x - y), 'in order, each once')
    await at(page, 'jump-latest').click()
    await until(() => rows(page), (r) => r.at(-1)?.seq === newest.seq, 'the newest again')
    console.log(`# 10,000 messages: ${worst.steps} steps, shift ${worst.shift.toFixed(2)} px, ${worst.elements} elements, ${model.rows.length} rows held, heap +${grown.toFixed(1)} MB`)
    hand.leave()
  })

  test('a burst while I read above, and one while I follow: never more than the bound in the page', async () => {
    const room = house.newRoom()
    const hand = await house.server.hand('话痨', room)
    for (let i = 0; i < 400; i += 100) await Promise.all(Array.from({ length: 100 }, (_, k) => hand.say('先 ' + (i + k))))
    const page = await (await house.someone()).tab()
    await join(page, house.server.url, '看着', room)
    await until(() => rows(page), (r) => r.length >= 50, 'a page')
    await climb(page, 3)
    await page.evaluate(() => {
      const column = document.querySelector('[data-testid=timeline]').firstElementChild
      window.most = 0
      new MutationObserver(() => (window.most = Math.max(window.most, column.children.length))).observe(column, { childList: true })
    })
    const burst = () => Promise.all(Array.from({ length: 500 }, (_, k) => hand.say('一阵 ' + k)))
    const read = (await rows(page))[30].seq
    let last = (await burst()).at(-1)
    await until(async () => (await held(page)).head, (n) => n >= last.seq, 'the burst', 20_000)
    assert.ok((await rows(page)).some((r) => r.seq === read), 'what I read is still there')
    await at(page, 'jump-latest').click()
    await until(() => rows(page), (r) => r.at(-1)?.seq >= last.seq, 'the newest')
    last = (await burst()).reduce((a, b) => (a.seq > b.seq ? a : b))
    await until(() => rows(page), (r) => r.at(-1)?.seq === last.seq, 'followed', 20_000)
    const most = await page.evaluate(() => window.most)
    assert.ok(most > 100 && most <= 450, `${most} elements`)
    hand.leave()
  })
})
