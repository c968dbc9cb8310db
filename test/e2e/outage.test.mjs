import assert from 'node:assert/strict'
import { test } from 'node:test'
import { at, banners, join, retryNow, rows, say, texts, until } from './support/browser.mjs'
import { held, seen } from './support/model.mjs'
import { suite } from './support/suite.mjs'

suite('outages', (house) => {
  const missed = 500
  /** A behind the proxy, B before it, and two hands, in a room in which more was said than a page holds. */
  const meeting = async () => {
    const room = house.newRoom()
    const [one, two] = [await house.server.hand('周屿', room), await house.server.hand('苏禾', room)]
    const old = []
    for (let i = 1; i <= 80; i++) old.push(await one.say('以前 ' + i))
    const [a, b] = [await (await house.someone()).tab(), await (await house.someone()).tab()]
    await join(a, house.proxy.url, '在隧道里', room)
    await join(b, house.server.url, '在外面', room)
    for (const page of [a, b]) await until(() => texts(page), (t) => t.at(-1) === '以前 80', 'what was said before')
    await say(a, '进隧道了')
    await until(() => texts(b), (t) => t.at(-1) === '进隧道了', 'the last word')
    const end = () => (one.leave(), two.leave())
    return { a, b, room, one, two, old, end }
  }
  /** What happens meanwhile: 500 messages, and 3 edits, 2 recalls and 4 reactions, to what A holds, what it never had and what is new. */
  const storm = async ({ one, two, old }, middle = () => undefined) => {
    const fresh = []
    for (let i = 0; i < missed; i += 20) {
      if (i === 240) await middle()
      fresh.push(...(await Promise.all(Array.from({ length: 20 }, (_, k) => (k % 3 ? one : two).say('其间 ' + (i + k))))))
      if (i !== 100) continue
      await one.edit(old[79].seq, '改过的，A 有')
      await one.recall(old[70].seq)
      await two.react(old[75].seq, '👍')
    }
    await one.edit(old[2].seq, '改过的，A 没有')
    await one.edit(fresh[1].seq, '改过的，新的')
    await two.recall(fresh[3].seq)
    await one.react(old[75].seq, '👍')
    await two.react(fresh[400].seq, '🎉')
    return (await one.react(old[1].seq, '🙏')).message.rev
  }
  const inStep = (head, ...pages) => Promise.all(pages.map((page) => until(async () => (await held(page)).head, (n) => n >= head, `in step up to ${head}`, 30_000)))
  /** A and B hold the same and show the same, once both are as far as the last act. */
  const same = async (head, a, b) => {
    await inStep(head, a, b)
    const [inA, inB] = [await seen(a), await seen(b)]
    assert.ok(inA.length > missed + 80, `A shows ${inA.length} rows`)
    assert.deepEqual(inA, inB, 'the same in the page')
    assert.deepEqual((await held(a)).rows, (await held(b)).rows, 'the same in the model')
    assert.equal(inA.filter((row) => row.includes('已编辑')).length, 3, 'three edits')
    assert.equal(inA.filter((row) => row.includes('撤回')).length, 2, 'two recalls')
    assert.ok(inA.some((row) => /以前 76 👍2$/.test(row)) && inA.some((row) => row.endsWith('其间 400 🎉1')) && inA.some((row) => row.endsWith('以前 2 🙏1')), 'four reactions')
  }
  const news = (n) => (t) => t.includes(`已重连，补回 ${n} 条，一条没丢`)

  /** Says it until it is lost on its way to a browser: that may be polling at first, on which nothing is. */
  const sayUntilLost = async (hand, text) => {
    house.proxy.lose(text)
    for (let tries = 0; tries < 20; tries++) {
      const said = await hand.say(text)
      if (await until(() => house.proxy.lost, (n) => n > 0, 'lost', 500).catch(() => 0)) return said
    }
    throw new Error(`${text}: it is not lost, the page does not come to a WebSocket`)
  }

  test('the line is cut while 500 messages, edits, recalls and reactions pass: then A equals B, also when the last pushes are lost', async () => {
    const meet = await meeting()
    const told = await banners(meet.a)
    house.proxy.cut()
    const head = await storm(meet)
    await at(meet.a, 'connection').waitFor() // a storm may be over in less time than a banner takes to be shown
    house.proxy.mend()
    await retryNow(meet.a)
    await until(told, news(missed), 'the good news')
    await inStep(head, meet.a, meet.b)
    const last = await sayUntilLost(meet.one, '最后一句')
    const { message } = await meet.two.react(last.seq, '👀')
    await until(() => house.proxy.lost, (n) => n === 2, 'a message and a change are lost on the way')
    await until(() => texts(meet.a), (t) => t.at(-1) === '最后一句', 'at A, by the digest', 45_000)
    await same(message.rev, meet.a, meet.b)
    assert.equal(house.proxy.lost, 2)
    meet.end()
  })

  test('where no WebSocket is let through at first, polling carries, and goes on to one', async () => {
    const room = house.newRoom()
    const hand = await house.server.hand('周屿', room)
    const page = await (await house.someone()).tab()
    house.proxy.narrow()
    await join(page, house.proxy.url, '绕路的人', room)
    await say(page, '到了')
    await until(() => rows(page), (r) => r.at(-1)?.state === 'sent', 'sent')
    await sayUntilLost(hand, '听见了吗')
    hand.leave()
  })

  test('the same out of a hole that swallows everything, with what was said into it, when the server was restarted meanwhile', async () => {
    const meet = await meeting()
    const told = await banners(meet.a)
    house.proxy.swallow()
    await say(meet.a, '听得见吗')
    const head = await storm(meet, async () => {
      await house.server.down()
      await house.server.up()
    })
    await at(meet.a, 'connection').waitFor()
    house.proxy.mend()
    await retryNow(meet.a)
    await until(told, news(missed), 'the good news')
    await until(() => rows(meet.a), (r) => r.filter((m) => m.text === '听得见吗' && m.state === 'sent').length === 1, 'said once')
    await same(head, meet.a, meet.b)
    meet.end()
  })
})
