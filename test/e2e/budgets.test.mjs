import assert from 'node:assert/strict'
import { test } from 'node:test'
import { at, join, person, phone, rows, say, until } from './support/browser.mjs'
import { suite } from './support/suite.mjs'

/** As the browser's own tools have it. */
const fast4G = { offline: false, latency: 165, downloadThroughput: 0.9 * 9e6 / 8, uploadThroughput: 0.9 * 1.5e6 / 8, connectionType: 'cellular4g' }

const median = (all) => [...all].sort((a, b) => a - b)[all.length >> 1]

/** Measures up to so many times and gives the median of what was seen as soon as it is within the limit: a machine that is busy with other things is given time. */
async function within(limit, what, measure, rounds = 9) {
  const seen = []
  for (let i = 0; i < rounds; i++) {
    const took = await measure()
    if (took !== undefined) seen.push(took)
    if (seen.length % 2 === 1 && seen.length >= 3 && median(seen) < limit) break
  }
  assert.ok(seen.length > 0, `${what}: no round could be measured`)
  console.log(`# ${what}: ${Math.round(median(seen))} ms (${seen.map(Math.round).join(', ')})`)
  assert.ok(median(seen) < limit, `${what}: ${median(seen)} ms of ${seen.map(Math.round)}`)
}

/** Records what Chromium's own tracing tells of these categories, from now until the returned function is called. */
async function trace(page, categories) {
  const devtools = await page.context().newCDPSession(page)
  const events = []
  devtools.on('Tracing.dataCollected', ({ value }) => events.push(...value))
  await devtools.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig: { includedCategories: categories, excludedCategories: ['*'] } })
  return async () => {
    const complete = new Promise((done) => devtools.once('Tracing.tracingComplete', done))
    await devtools.send('Tracing.end')
    await complete
    await devtools.detach()
    return events
  }
}

/** Of the phone: so many times slower than a desk computer, which does the work below in so many milliseconds. */
const phoneSlower = 4
const deskTakes = 130

/** How much a page must be slowed down here to be the phone's: machines differ, and what is slow by itself is slowed down less. */
async function slowdown(browser) {
  const someone = await person(browser)
  const page = await someone.tab()
  const took = []
  for (let i = 0; i < 9; i++) took.push(await page.evaluate(work))
  await someone.close()
  const rate = Math.min(phoneSlower, Math.max(1, phoneSlower * deskTakes / median(took)))
  console.log(`#   a page is slowed down ${rate.toFixed(1)} times: it takes ${Math.round(median(took))} ms here for what takes ${deskTakes} at a desk`)
  return rate
}

/** Some of what pages do: data in and out, elements, their layout. Gives the milliseconds that it took. */
function work() {
  const began = performance.now()
  for (let i = 0; i < 20; i++) {
    const rows = JSON.parse(JSON.stringify(Array.from({ length: 500 }, (_, k) => ({ k, text: 'word '.repeat(k % 9), of: [k, k + 1] }))))
    const list = document.createElement('div')
    for (const row of rows) list.append(Object.assign(document.createElement('p'), { textContent: row.text, className: 'c' + (row.of[0] % 7) }))
    document.body.append(list)
    list.getBoundingClientRect()
    list.remove()
  }
  return performance.now() - began
}

suite('budgets', (house) => {
  test('from nickname to first message in under three seconds', () => within(3000, 'from nickname to first message', async () => {
    const someone = await person(house.browser)
    const page = await someone.tab()
    const began = performance.now()
    await page.goto(house.server.url)
    assert.equal(await at(page, 'room').inputValue(), '大厅')
    await at(page, 'nickname').fill('小满')
    await at(page, 'nickname').press('Enter')
    await say(page, '你好')
    await until(() => rows(page), (r) => r.at(-1)?.text === '你好' && r.at(-1).state === 'sent', 'my first message')
    const took = performance.now() - began
    assert.equal(new URL(page.url()).pathname, '/g/' + encodeURIComponent('大厅'))
    await someone.close()
    return took
  }))

  // Who comes back sees what was kept of the last visit: after two journeys to the server, of 165 ms each, and what the processor needs.
  // What other programs took from the page's thread meanwhile is not the page's: it is told, and not counted.
  test('on a phone, over fast 4G and with a slowed processor, the first message is painted within a second', async () => {
    const room = house.newRoom()
    const hand = await house.server.hand('林晚', room)
    for (let i = 0; i < 60; i++) await hand.say(`第 ${i} 条：` + '手机上也要马上看到。'.repeat(1 + (i % 4)))
    hand.leave()
    const me = await house.someone({ viewport: phone })
    const first = await me.tab()
    await join(first, house.server.url, '路上的人', room)
    await until(() => rows(first), (r) => r.length > 0, 'the room')
    await first.goto('about:blank') // leaving the page keeps what it shows
    await first.close()
    await me.context.addInitScript(() => new MutationObserver((_, sight) => {
      if (!document.querySelector('[data-testid=message]')) return
      sight.disconnect()
      performance.mark('qun: first message')
      console.debug('qun: first message')
    }).observe(document, { subtree: true, childList: true }))
    const rate = await slowdown(house.browser)
    await within(1000, 'to the first message on a phone', async () => {
      const page = await me.tab()
      const devtools = await me.context.newCDPSession(page)
      await devtools.send('Network.enable')
      await devtools.send('Network.setCacheDisabled', { cacheDisabled: true })
      await devtools.send('Network.emulateNetworkConditions', fast4G)
      await devtools.send('Emulation.setCPUThrottlingRate', { rate })
      const stop = await trace(page, ['blink.user_timing', 'devtools.timeline', 'loading', 'toplevel'])
      const seen = page.waitForEvent('console', (said) => said.text() === 'qun: first message') // to look for it would cost the page time
      await page.goto(house.server.url + '/g/' + encodeURIComponent(room), { waitUntil: 'commit' })
      await seen
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))))
      const events = await stop()
      await page.close()
      const mark = events.find((e) => e.name === 'qun: first message')
      const begin = events.filter((e) => e.name === 'navigationStart' && e.pid === mark.pid && e.ts < mark.ts).at(-1)
      const paint = events.filter((e) => e.name === 'Paint' && e.pid === mark.pid && e.ts > mark.ts).map((e) => e.ts + (e.dur ?? 0)).sort((a, b) => a - b)[0]
      assert.ok(begin && paint, 'the trace tells of the navigation and of the paint')
      const tasks = events.filter((e) => e.name === 'ThreadControllerImpl::RunTask' && e.tid === mark.tid && e.pid === mark.pid && e.ts > begin.ts && e.ts < paint && e.tdur !== undefined)
      assert.ok(tasks.length > 0, 'the trace tells of tasks, and of their share of the processor')
      const taken = tasks.reduce((sum, e) => sum + Math.max(0, e.dur - e.tdur), 0)
      console.log(`#   ${Math.round((paint - begin.ts) / 1000)} ms, of which others took ${Math.round(taken / 1000)}`)
      return (paint - begin.ts - taken) / 1000
    })
  })

  test('keys are answered in under 100 ms while fifty messages arrive in a second', async () => {
    const room = house.newRoom()
    const hand = await house.server.hand('话痨', room)
    for (let i = 0; i < 400; i += 100) await Promise.all(Array.from({ length: 100 }, (_, k) => hand.say(`先 ${i + k} ` + '满满一页'.repeat(k % 5))))
    const page = await (await house.someone()).tab()
    await join(page, house.server.url, '打字的人', room)
    await until(() => rows(page), (r) => r.length >= 50, 'the room')
    await page.evaluate(async () => {
      const pane = document.querySelector('[data-testid=timeline]')
      for (let i = 0; i < 30 && pane.querySelectorAll('article').length < 300; i++) {
        pane.scrollTop = 0
        await new Promise((done) => setTimeout(done, 100))
      }
      pane.scrollTop = pane.scrollHeight
    })
    await at(page, 'composer').focus()
    let n = 0
    await within(100, 'input delay, 95th percentile', async () => {
      const stop = await trace(page, ['devtools.timeline'])
      const sent = []
      const began = performance.now()
      for (let i = 0; i < 150; i++) {
        sent.push(hand.say('来了 ' + ++n))
        if (i % 5 === 0) await page.keyboard.press('x')
        const due = began + 20 * (i + 1) - performance.now()
        if (due > 0) await new Promise((done) => setTimeout(done, due))
      }
      await Promise.all(sent)
      const rate = 150 / ((performance.now() - began) / 1000)
      const events = await stop()
      const delays = events.filter((e) => e.name === 'EventTiming' && e.args.data?.type === 'keydown').map((e) => e.args.data.processingStart - e.args.data.timeStamp).sort((a, b) => a - b)
      assert.ok(delays.length >= 20, `${delays.length} keys in the trace`)
      if (rate < 40) return undefined // the machine did not keep up with sending: this round says nothing
      return delays[Math.floor(delays.length * 0.95)]
    })
    await until(() => rows(page), (r) => r.some((m) => m.text === '来了 ' + n), 'all that was sent')
    hand.leave()
  })
})
