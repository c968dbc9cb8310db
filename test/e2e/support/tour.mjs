import { at, join, person, retryNow, say, until } from './browser.mjs'
import { Proxy } from './proxy.mjs'

/** A conversation as people have it, in either language. */
const talk = {
  'zh-CN': {
    me: '小满', group: '发布列车', topic: '周四发车', announcement: '周四 16:00 发车，只带走通过的。', others: ['大厅', '读书会'], guest: '路过的猫', find: '回滚', nothing: '没有的词', reason: '广告',
    said: [
      ['苏禾', '0.9 的候选版本搭好了，在测试间跑了一夜：两万条消息，一条没丢。'],
      ['林晚', '发车前还差两件：迁移脚本的回滚，和弱网重连的那条提示。'],
      ['阿澈', '> 迁移脚本的回滚\n回滚我来。先停写，再往回走一步：\n```sql\nupdate epoch set frozen = true;   -- 先停写\ncall migrate_down(\'0009_rev\');\n```'],
      ['小满', '那提示归我。我想写「已重连，补回 37 条」，不写「网络异常」。'],
      ['小满', '@林晚 这样够不够让人安心？'],
      ['林晚', '够了。人只想知道两件事：**回来了没有**，**丢了没有**。'],
      ['林晚', '对照表在 https://example.org/board。看完回我一声。'],
      ['路过的猫', '刚扫码进来的。手机开了一会儿飞行模式，关掉以后自己补齐了。'],
    ],
    typo: '多写了一句', wrong: '发错地方了', picture: '图表.png', file: '性能对照.md', elsewhere: '晚饭前我把迁移跑完', offline: ['进隧道前先发这一句。', '出来以后它应该自己就发出去了。'],
  },
  'en-US': {
    me: 'Wren', group: 'Release train', topic: 'Leaves on Thursdays', announcement: 'Leaving Thursday at 16:00, with what has passed.', others: ['Lobby', 'Reading club'], guest: 'Stray Cat', find: 'migration', nothing: 'nowhere', reason: 'An advertisement',
    said: [
      ['Ines', 'The 0.9 candidate is built. It ran overnight in the test room: twenty thousand messages, none lost.'],
      ['Mara', 'Two things left before we leave: a way back for the migration, and the line we show while reconnecting.'],
      ['Kofi', '> a way back for the migration\nI’ll take the way back. Freeze writes, then one step down:\n```sql\nupdate epoch set frozen = true;   -- freeze\ncall migrate_down(\'0009_rev\');\n```'],
      ['Wren', 'Then the line is mine. “Back: 37 new, nothing lost”, rather than “Network error”.'],
      ['Wren', '@Mara is that calm enough?'],
      ['Mara', 'It is. People want to know two things: **are we back**, and **is anything gone**.'],
      ['Mara', 'The sketch is at https://example.org/board. Tell me when you’ve seen it.'],
      ['Stray Cat', 'Just walked in by the link. My phone was in flight mode for a while, and it caught up by itself.'],
    ],
    typo: 'One word too many', wrong: 'The wrong room', picture: 'plot.png', file: 'measurements.md', elsewhere: 'I will finish the migration before dinner', offline: ['One more before the tunnel.', 'It should go out by itself when we are through.'],
  },
}

/**
 * Walks through every screen as one who lives here would: from the first page to a group of one's own, its menus and
 * dialogs, an outage and its end. Calls see(name, page) at each. Everything is made here; the server must be fresh.
 */
export async function tour(browser, server, { locale, viewport, colorScheme, zoom = 1, see }) {
  const words = talk[locale]
  const narrow = viewport.width < 640
  const proxy = await Proxy.before(server)
  const me = await person(browser, { locale, viewport, colorScheme, scale: zoom, reducedMotion: 'reduce' })
  const hands = new Map()
  try {
    const page = await me.tab()
    const view = async (name, of = page) => {
      await of.evaluate(() => document.fonts.ready.then(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 20)))))
      await see(name, of)
    }
    await visit({ page, view, words, narrow, proxy, me, hands, server })
    return me.complaints
  } finally {
    for (const hand of hands.values()) hand.leave()
    await me.close()
    proxy.stop()
  }
}

async function visit({ page, view, words, narrow, proxy, me, hands, server }) {
  const hand = async (who, room) => {
    const key = who + '\n' + room
    if (!hands.has(key)) hands.set(key, await server.hand(who, room))
    return hands.get(key)
  }
  const shut = async (what) => {
    await page.keyboard.press('Escape')
    await until(() => what.count(), (n) => n === 0, 'closed')
  }
  const dialog = page.locator('dialog[open]')
  const row = (text) => page.locator('[data-testid=message]').filter({ hasText: text }).last()
  const menu = async (text) => {
    await row(text).locator('.text').click({ button: 'right', position: { x: 6, y: 6 } }) // not on a link, whose menu is the browser's
    await at(page, 'message-menu').waitFor()
  }
  const sent = (text) => until(() => row(text).getAttribute('data-state').catch(() => ''), (s) => s === 'sent', text)

  // The door.
  await page.goto(proxy.url)
  await at(page, 'nickname').waitFor()
  await view('first')
  await at(page, 'join').click()
  await page.locator('[role=alert]').waitFor()
  await view('first-refused')
  await page.goto(proxy.url + '/g/' + encodeURIComponent(words.group))
  await at(page, 'nickname').fill(words.me)
  await view('invited')
  await page.goto(proxy.url + '/account')
  await at(page, 'password').waitFor()
  await view('sign-in')
  await page.goto(proxy.url + '/account#reset=nothing')
  await at(page, 'password').waitFor()
  await view('reset')

  // A guest, who then stays.
  await join(page, proxy.url, words.me, words.others[0])
  await view('empty-guest')
  await at(page, 'settings').or(at(page, 'back')).first().click()
  if (narrow) await at(page, 'settings').click()
  await at(page, 'sign-out').waitFor()
  await view('me-guest')
  await at(page, 'keep-name').click()
  await at(page, 'to-register').click()
  await view('register')
  await at(page, 'username').fill('wren')
  await at(page, 'password').fill('a long secret')
  await at(page, 'submit').click()
  await at(page, 'conversations').waitFor()
  await view('list-of-one')

  // A group of one's own.
  await at(page, 'find').click()
  await at(page, 'switcher-field').fill(words.group)
  await view('switcher')
  await page.locator('#to-make').click()
  await at(page, 'new-visibility').selectOption('open')
  await view('new-group')
  await at(page, 'new-make').click()
  await until(() => page.locator('.top h1').textContent().catch(() => ''), (h) => h === words.group, words.group)
  if (narrow && (await at(page, 'close-info').count())) await at(page, 'close-info').click()
  await view('empty')
  for (const [who, what] of words.said) {
    if (who === words.me) await say(page, what)
    else await (await hand(who, words.group)).say(what)
    await sent(what.split('\n').at(0).replace(/[>*]/g, '').trim().slice(0, 12))
  }
  const other = await hand(words.said[1][0], words.group)
  await at(page, 'file-picker').setInputFiles([
    { name: words.picture, mimeType: 'image/png', buffer: Buffer.from(await page.evaluate(draw), 'base64') },
    { name: words.file, mimeType: 'text/markdown', buffer: Buffer.from('# 0.9') },
  ])
  await view('tray')
  await at(page, 'send').click()
  await until(() => page.locator('[data-testid=picture] img').evaluateAll((all) => all.every((i) => i.complete && i.naturalWidth > 0) && all.length), (n) => n === 1, 'the picture')
  await say(page, words.typo)
  await sent(words.typo)
  await say(page, words.wrong)
  await sent(words.wrong)
  const mine = Number(await row(words.wrong).getAttribute('data-seq'))
  await other.react(mine, '👍')
  await other.say(words.said[5][1], { replyTo: mine })
  await page.locator(`[data-testid=message][data-seq="${mine}"]`).focus()
  await page.keyboard.press('Backspace')
  await at(page, 'reedit').waitFor()
  await view('chat')
  await at(page, 'composer').pressSequentially('@')
  await at(page, 'mention-option').first().waitFor()
  await view('mention')
  await page.keyboard.press('Escape')
  await at(page, 'composer').fill('')

  // What can be done to a message.
  await menu(words.typo)
  await view('menu-mine')
  await at(page, 'act-edit').click()
  await view('editing')
  await page.keyboard.press('Escape')
  await menu(words.said[6][1].slice(0, 10))
  await view('menu')
  await at(page, 'more-reactions').click()
  await page.locator('.emoji-grid button').nth(50).waitFor()
  await view('emoji')
  await shut(dialog)
  for (const [act, name] of [['forward', 'forward'], ['readBy', 'read-by'], ['report', 'report']]) {
    await menu(words.said[6][1].slice(0, 10))
    await at(page, 'act-' + act).click()
    await dialog.waitFor()
    await view(name)
    if (act === 'report') {
      await at(page, 'report-reason').fill(words.reason)
      await at(page, 'report-send').click()
      await dialog.locator('[role=status]').waitFor()
      await view('reported')
    }
    await shut(dialog)
  }
  await menu(words.said[6][1].slice(0, 10))
  await at(page, 'act-pin').click()
  await at(page, 'pinned').waitFor()
  await menu(words.said[6][1].slice(0, 10))
  await at(page, 'act-reply').click()
  await view('replying')
  await at(page, 'composer-cancel').click()
  await at(page, 'picture').first().click()
  await at(page, 'viewer').waitFor()
  await view('viewer')
  await shut(at(page, 'viewer'))

  // The group.
  const info = at(page, 'group-info')
  if (!(await info.isVisible())) await at(page, 'show-info').click()
  await info.waitFor()
  await at(page, 'shape-group').click()
  await at(page, 'group-topic').fill(words.topic)
  await at(page, 'group-announcement').fill(words.announcement)
  await view('group-settings')
  await at(page, 'group-save').click()
  await until(() => dialog.count(), (n) => n === 0, 'saved')
  await at(page, 'announcement').waitFor()
  await view('info')
  await page.locator('[data-testid=person]').filter({ hasText: words.said[1][0] }).first().click()
  await view('member')
  await at(page, 'kick').click()
  await view('member-sure')
  await shut(dialog)
  await at(page, 'leave').click()
  await at(page, 'leave').scrollIntoViewIfNeeded().catch(() => undefined)
  await view('leaving')
  if (narrow) await at(page, 'close-info').click()

  // Elsewhere.
  for (const room of words.others) {
    await page.goto(proxy.url + '/g/' + encodeURIComponent(room))
    await at(page, 'composer').waitFor()
    await say(page, '👋')
    await sent('👋')
  }
  await page.goto(proxy.url + '/g/' + encodeURIComponent(words.group))
  for (const room of words.others) await (await hand(words.said[0][0], room)).say(words.elsewhere)
  await at(page, 'search-here').click()
  await at(page, 'search-field').fill(words.find)
  await at(page, 'hit').first().waitFor()
  await view('search')
  await at(page, 'search-field').fill(words.nothing)
  await until(() => at(page, 'search').textContent(), (t) => t.includes(words.nothing), 'nothing found')
  await view('search-nothing')
  await page.goto(proxy.url)
  await at(page, 'conversations').waitFor()
  await until(() => at(page, 'conversation').count(), (n) => n === 3, 'the rooms')
  await view('list')
  await page.keyboard.press('?')
  await at(page, 'keys').waitFor()
  await view('keys')
  await shut(dialog)
  await at(page, 'settings').click()
  await at(page, 'change-name').click()
  await view('me')
  await page.keyboard.press('Escape')
  if (!(await at(page, 'handoff').isVisible())) await at(page, 'settings').click()
  for (const part of ['handoff', 'change-password', 'devices']) {
    await at(page, part).click()
    await page.locator('.inset').waitFor()
    await page.waitForTimeout(100) // what it asks the server
    await page.locator('.inset').scrollIntoViewIfNeeded()
    await view('me-' + part)
  }
  await page.goto(proxy.url + '/g/' + encodeURIComponent('/') + '/999')
  await view('nowhere')

  // An outage, and what comes after it.
  await page.goto(proxy.url + '/g/' + encodeURIComponent(words.group))
  await sent(words.typo)
  proxy.cut()
  for (const what of words.offline) await say(page, what)
  await at(page, 'connection').waitFor()
  await view('offline')
  proxy.mend()
  await retryNow(page)
  await page.waitForSelector('[data-testid=connection][data-state=back]')
  await view('back')
  await sent(words.offline.at(-1))
  await say(page, words.offline[0].repeat(900))
  await page.locator('[data-state=failed]').last().scrollIntoViewIfNeeded()
  await view('failed')
  await at(page, 'delete').click()
  for (let i = 0; i < 30; i++) await other.say(words.said[i % 2][1])
  await until(() => page.locator('[data-testid=message]').count(), (n) => n > 35, 'the crowd')
  await page.evaluate(() => (document.querySelector('[data-testid=timeline]').scrollTop = 300))
  await at(page, 'jump-latest').waitFor()
  await other.say(words.said[5][1])
  await until(() => at(page, 'jump-latest').textContent(), (t) => /1/.test(t), 'something new below')
  await view('scrolled')
}

/** A small plot, drawn by the page itself. */
function draw() {
  const canvas = Object.assign(document.createElement('canvas'), { width: 960, height: 480 })
  const pen = canvas.getContext('2d')
  pen.fillStyle = '#EEF4F1'
  pen.fillRect(0, 0, 960, 480)
  pen.lineWidth = 6
  for (const [colour, bend] of [['#1F7A5C', 0.9], ['#C98A2B', 0.5]]) {
    pen.strokeStyle = colour
    pen.beginPath()
    for (let x = 40; x <= 920; x += 8) pen.lineTo(x, 420 - 330 * ((x - 40) / 880) ** (1 / bend) + 14 * Math.sin(x / 37))
    pen.stroke()
  }
  return canvas.toDataURL('image/png').split(',')[1]
}

