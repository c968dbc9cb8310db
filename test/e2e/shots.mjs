// Takes a picture of every screen in both languages, themes and sizes, from a real server: npm run shots [folder].
import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as path } from 'node:path'
import { at, desk, join, launch, person, phone, retryNow, rows, say, until } from './support/browser.mjs'
import { missing } from './support/needs.mjs'
import { Proxy } from './support/proxy.mjs'
import { Server } from './support/server.mjs'

const lacking = missing()
if (lacking) {
  console.log('no pictures: ' + lacking)
  process.exit(0)
}

const talk = {
  'zh-CN': {
    me: '小满', room: '发布列车', others: ['大厅', '读书会'], long: '完整的性能对照表贴在这里，方便大家核对。',
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
    elsewhere: [['大厅', '周屿', '晚饭前我把迁移跑完'], ['大厅', '周屿', '监控我盯着'], ['读书会', '北川', '下周读第七章，顺便定下一本']],
    offline: ['进隧道前先发这一句。', '出来以后它应该自己就发出去了。'],
  },
  'en-US': {
    me: 'Wren', room: 'Release train', others: ['Lobby', 'Reading club'], long: 'The whole table of measurements is here, for you to check.',
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
    elsewhere: [['Lobby', 'Tomo', 'I will finish the migration before dinner'], ['Lobby', 'Tomo', 'Watching the graphs'], ['Reading club', 'Pavel', 'Chapter seven next week']],
    offline: ['One more before the tunnel.', 'It should go out by itself when we are through.'],
  },
}

const folder = process.argv[2] ?? mkdtempSync(path(tmpdir(), 'qun-shots-'))
mkdirSync(folder, { recursive: true })
const browser = await launch()

for (const locale of ['zh-CN', 'en-US']) {
  for (const colorScheme of ['light', 'dark']) {
    for (const [size, viewport] of Object.entries({ desk, phone })) {
      const server = await Server.start() // a server per picture book: the conversation is the same in each
      const proxy = await Proxy.before(server)
      const someone = await person(browser, { locale, colorScheme, viewport })
      try {
        await take(await someone.tab(), { server, proxy, words: talk[locale], narrow: size === 'phone', name: `${locale.slice(0, 2)}.${colorScheme}.${size}` })
      } finally {
        await someone.close()
        proxy.stop()
        await server.stop()
      }
    }
  }
}
await browser.close()
console.log(folder)

async function take(page, { server, proxy, words, narrow, name }) {
  const shot = async (screen) => {
    await page.waitForTimeout(250) // what moves has moved
    await page.screenshot({ path: path(folder, `${screen}.${name}.png`) })
  }
  const talkers = new Map()
  const talker = async (who, room) => {
    const key = who + '\n' + room
    if (!talkers.has(key)) talkers.set(key, await server.talker(who, room))
    return talkers.get(key)
  }

  await page.goto(proxy.url)
  await at(page, 'nickname').fill(words.me)
  await shot('join')
  await page.goto(proxy.url + '/g/' + encodeURIComponent(words.room))
  await at(page, 'nickname').fill(words.me)
  await shot('invited')
  await join(page, proxy.url, words.me, words.room)
  await shot('empty')

  for (const room of words.others) {
    await page.goto(proxy.url + '/g/' + encodeURIComponent(room))
    await at(page, 'composer').waitFor()
    await say(page, '👋')
    await until(() => rows(page), (r) => r.at(-1)?.state === 'sent', 'a wave')
  }
  for (const [who] of words.said) if (who !== words.me) await talker(who, words.room)
  await page.goto(proxy.url + '/g/' + encodeURIComponent(words.room))
  await at(page, 'composer').waitFor()
  for (const [who, what] of words.said) {
    if (who === words.me) await say(page, what)
    else await (await talker(who, words.room)).say(what)
    await until(() => rows(page), (r) => r.at(-1)?.state === 'sent' && r.length > 0, 'said')
    await page.waitForTimeout(60)
  }
  for (const [room, who, what] of words.elsewhere) await (await talker(who, room)).say(what)
  await shot('chat')

  if (narrow) {
    await at(page, 'show-info').click()
    await shot('info')
    await at(page, 'close-info').click()
    await at(page, 'back').click()
    await shot('list')
    await at(page, 'settings').click()
    await shot('me')
    await page.goBack()
    await at(page, 'composer').waitFor()
  } else {
    await at(page, 'settings').click()
    await shot('me')
    await at(page, 'settings').click()
    await at(page, 'show-info').click()
    await shot('two-panes')
    await at(page, 'find').click()
    await at(page, 'switcher-field').fill('茶水间')
    await shot('switcher')
    await page.keyboard.press('Escape')
  }

  await say(page, words.long + '\n' + 'x'.repeat(8000))
  await page.locator('[data-state=failed]').waitFor()
  await at(page, 'delete').click()
  proxy.cut()
  for (const what of words.offline) await say(page, what)
  await at(page, 'connection').waitFor()
  await shot('offline')
  proxy.mend()
  await retryNow(page)
  await page.waitForSelector('[data-testid=connection][data-state=back]')
  await shot('back')

  const crowd = await talker(words.said[0][0], words.room)
  for (let i = 0; i < 40; i++) await crowd.say(words.said[i % 2][1])
  await page.evaluate(() => (document.querySelector('[data-testid=timeline]').scrollTop = 500))
  await crowd.say(words.said[5][1])
  await shot('scrolled')
  for (const one of talkers.values()) one.leave()
}
