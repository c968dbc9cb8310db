import { openBoard } from './board.mjs'
import { at, join, person, retryNow, say, until } from './browser.mjs'
import { Proxy } from './proxy.mjs'
import { Server } from './server.mjs'
import { talk } from './talk.mjs'

/**
 * Walks through every screen as one who lives here would: from the first page to a group of one's own, its menus and
 * dialogs, an outage and its end, and through the rooms of who runs the server. Calls see(name, page) at each. Gives what
 * the consoles complained about.
 */
export async function tour(browser, how) {
  const walk = new Walk()
  try {
    await walk.begin(browser, how)
    for (const chapter of [door, staying, talking, acts, group, programs, twoAlone, elsewhere, extremes, among, company, me, outage, administration]) await chapter(walk)
    return walk.complaints
  } finally {
    await walk.end()
  }
}

/** One who walks, with what they see and whom they meet; the server is theirs alone. */
class Walk {
  hands = new Map()
  browsers = []

  async begin(browser, { locale, viewport, colorScheme, zoom = 1, see }) {
    Object.assign(this, { see, words: talk[locale], narrow: viewport.width < 640 })
    this.open = async () => {
      const someone = await person(browser, { locale, viewport, colorScheme, scale: zoom, reducedMotion: 'reduce' })
      this.browsers.push(someone)
      return someone.tab()
    }
    this.server = await Server.start(() => ['--public-url', 'http://192.168.1.20:3000', '--preview-network', '127.0.0.0/8', '--webhook-network', '127.0.0.0/8'])
    this.proxy = await Proxy.before(this.server)
    this.page = await this.open()
    this.dialog = this.page.locator('dialog[open]')
    this.picture = Buffer.from(await this.page.evaluate(draw), 'base64')
    this.board = await openBoard(this.words.board, this.picture)
  }

  get complaints() {
    return this.browsers.flatMap((b) => b.complaints)
  }

  async end() {
    for (const b of this.browsers) await b.close()
    this.board?.close()
    this.proxy?.stop()
    await this.server?.stop()
  }

  async view(name, page = this.page) {
    await page.evaluate(() => document.fonts.ready.then(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 20)))))
    await this.see(name, page)
  }

  goto(path) {
    return this.page.goto(this.proxy.url + path)
  }

  enter(room) {
    return this.goto('/g/' + encodeURIComponent(room))
  }

  /** Somebody else in a room: a member, but for the one who is a guest. */
  hand(who, room) {
    return this.once(who + '\n' + room, async () => {
      const username = this.words.members[who]
      if (!username) return this.server.hand(who, room)
      return (await this.member(who)).into(room)
    })
  }

  member(who) {
    return this.once(who, () => this.server.member(this.words.members[who], who))
  }

  once(key, make) {
    if (!this.hands.has(key)) this.hands.set(key, make())
    return this.hands.get(key)
  }

  /** Says it as people do: who is called by it is picked from the list. */
  async say(text) {
    const [, name, rest] = /^@(\S+)(.*)$/s.exec(text) ?? []
    if (!name) return say(this.page, text)
    await at(this.page, 'composer').pressSequentially('@' + name)
    await at(this.page, 'mention-option').filter({ hasText: name }).waitFor()
    await at(this.page, 'composer').press('Enter')
    await at(this.page, 'composer').pressSequentially(rest.trim())
    await at(this.page, 'composer').press('Enter')
  }

  row(text) {
    return this.page.locator('[data-testid=message]').filter({ hasText: text }).last()
  }

  sent(text) {
    return until(() => this.row(text).getAttribute('data-state').catch(() => ''), (s) => s === 'sent', text)
  }

  async menu(text) {
    await this.row(text).locator('.text').click({ button: 'right', position: { x: 6, y: 6 } }) // not on a link, whose menu is the browser's
    await at(this.page, 'message-menu').waitFor()
  }

  async shut(what = this.dialog) {
    await this.page.keyboard.press('Escape')
    await until(() => what.count(), (n) => n === 0, 'closed')
  }

  /** The group's drawer, in sight. */
  async info() {
    const info = at(this.page, 'group-info')
    if (!(await info.isVisible())) await at(this.page, 'show-info').click()
    await info.waitFor()
  }
}

async function door(w) {
  const { page, words } = w
  await w.goto('')
  await at(page, 'nickname').waitFor()
  await w.view('first')
  await at(page, 'join').click()
  await page.locator('[role=alert]').waitFor()
  await w.view('first-refused')
  await w.enter(words.group)
  await at(page, 'nickname').fill(words.me)
  await w.view('invited')
  await (await w.member(words.said[0][0])).into(words.others[1])
  await w.enter(words.others[1])
  await at(page, 'nickname').fill(words.said[0][0])
  await at(page, 'join').click()
  await page.locator('[role=alert]').waitFor()
  await w.view('name-taken')
  await w.goto('/account')
  await at(page, 'password').waitFor()
  await w.view('sign-in')
  await at(page, 'username').fill('wren')
  await at(page, 'password').fill('not this one')
  await at(page, 'submit').click()
  await page.locator('[role=alert]').waitFor()
  await w.view('sign-in-refused')
  await w.goto('/account#reset=nothing') // in the same page: what was typed and refused before is not this one's
  await page.locator('[role=alert]').waitFor({ state: 'detached' })
  await at(page, 'password').waitFor()
  await w.view('reset')
}

/** A guest, who then stays. */
async function staying(w) {
  const { page, words } = w
  await join(page, w.proxy.url, words.me, words.others[0])
  await page.locator('.empty [data-testid=qr] path').waitFor()
  await w.view('empty-guest')
  await at(page, 'settings').or(at(page, 'back')).first().click()
  if (w.narrow) await at(page, 'settings').click()
  await at(page, 'sign-out').waitFor()
  await w.view('me-guest')
  await at(page, 'keep-name').click()
  await w.view('register')
  await at(page, 'username').fill('wren')
  await at(page, 'password').fill('a long secret')
  await at(page, 'submit').click()
  await at(page, 'conversations').waitFor()
  await w.view('list-of-one')
}

/** A group of one's own, and what is said in it. */
async function talking(w) {
  const { page, words } = w
  await at(page, 'find').click()
  await at(page, 'switcher-field').fill(words.group)
  await w.view('switcher')
  await page.locator('#to-make').click()
  await at(page, 'new-visibility').selectOption('open')
  await w.view('new-group')
  await at(page, 'new-make').click()
  await until(() => page.locator('.top h1').textContent().catch(() => ''), (h) => h === words.group, words.group)
  if (w.narrow && (await at(page, 'close-info').count())) await at(page, 'close-info').click()
  await page.locator('.empty [data-testid=qr] path').waitFor()
  await w.view('empty')
  for (const [who, what] of words.said) {
    const text = what.replace('{board}', w.board.url('board'))
    if (who === words.me) await w.say(text)
    else await (await w.hand(who, words.group)).say(text)
    await w.sent(text.split('\n').at(0).replace(/[>*]/g, '').trim().slice(0, 12))
  }
  const loaded = (what) => until(() => at(page, what).locator('img').or(page.locator(`img[data-testid=${what}]`)).evaluateAll((all) => all.every((i) => i.complete && i.naturalWidth > 0) && all.length), (n) => n === 1, what)
  await loaded('preview-picture')
  const other = await w.hand(words.said[1][0], words.group)
  await at(page, 'file-picker').setInputFiles([
    { name: words.picture, mimeType: 'image/png', buffer: w.picture },
    { name: words.file, mimeType: 'text/markdown', buffer: Buffer.from('# 0.9') },
  ])
  await w.view('tray')
  await at(page, 'send').click()
  await loaded('picture')
  await say(page, words.typo)
  await w.sent(words.typo)
  await say(page, words.wrong)
  await w.sent(words.wrong)
  const mine = Number(await w.row(words.wrong).getAttribute('data-seq'))
  await other.react(mine, '👍')
  await other.say(words.said[5][1], { replyTo: mine })
  await page.locator(`[data-testid=message][data-seq="${mine}"]`).focus()
  await page.keyboard.press('Backspace')
  await at(page, 'reedit').waitFor()
  await w.view('chat')
  await at(page, 'preview').scrollIntoViewIfNeeded()
  await w.view('preview')
  await at(page, 'composer').pressSequentially('@')
  await at(page, 'mention-option').first().waitFor()
  await w.view('mention')
  await page.keyboard.press('Escape')
  await at(page, 'composer').fill('')
}

/** What can be done to a message. */
async function acts(w) {
  const { page, words } = w
  const linked = words.said[6][1].split(' {')[0]
  await w.menu(words.typo)
  await w.view('menu-mine')
  await at(page, 'act-edit').click()
  await w.view('editing')
  await page.keyboard.press('Escape')
  await w.menu(linked)
  await w.view('menu')
  await at(page, 'more-reactions').click()
  await page.locator('.emoji-grid button').nth(50).waitFor()
  await w.view('emoji')
  await w.shut()
  for (const [act, name] of [['forward', 'forward'], ['readBy', 'read-by'], ['report', 'report']]) {
    await w.menu(linked)
    await at(page, 'act-' + act).click()
    await w.dialog.waitFor()
    await w.view(name)
    if (act === 'report') {
      await at(page, 'report-reason').fill(words.reason)
      await at(page, 'report-send').click()
      await w.dialog.locator('[role=status]').waitFor()
      await w.view('reported')
    }
    await w.shut()
  }
  await w.menu(linked)
  await at(page, 'act-pin').click()
  await at(page, 'pinned').waitFor()
  await w.menu(linked)
  await at(page, 'act-reply').click()
  await w.view('replying')
  await at(page, 'composer-cancel').click()
  await at(page, 'picture').first().click()
  await at(page, 'viewer').waitFor()
  await w.view('viewer')
  await w.shut(at(page, 'viewer'))
}

/** The group's drawer, and what is behind it. */
async function group(w) {
  const { page, words } = w
  await w.info()
  await at(page, 'shape-group').click()
  await at(page, 'group-topic').fill(words.topic)
  await at(page, 'group-announcement').fill(words.announcement)
  await w.view('group-settings')
  await at(page, 'group-save').click()
  await until(() => w.dialog.count(), (n) => n === 0, 'saved')
  await at(page, 'announcement').waitFor()
  await at(page, 'group-info').getByTestId('presence').nth(3).waitFor()
  await w.view('info')
  await at(page, 'group-picture-file').setInputFiles([{ name: words.picture, mimeType: 'image/png', buffer: w.picture }])
  await until(() => at(page, 'group-info').locator('.who img').evaluateAll((all) => all.every((i) => i.complete && i.naturalWidth > 0) && all.length), (n) => n === 1, 'its picture')
  await w.view('info-picture')
  await card(w, words.said[1][0])
  await w.view('member')
  await at(page, 'kick').click()
  await w.view('member-sure')
  await w.shut()
  await at(page, 'group-files').click()
  await at(page, 'grid-picture').first().waitFor()
  await w.view('files-pictures')
  await w.dialog.locator('.choice button').nth(1).click()
  await at(page, 'list-jump').first().waitFor()
  await w.view('files')
  await w.shut()
  await at(page, 'leave').click()
  await at(page, 'leave-sure').scrollIntoViewIfNeeded()
  await w.view('leaving')
}

/** Opens the card of a member. */
async function card(w, who) {
  await w.page.locator('[data-testid=person]').filter({ hasText: who }).first().click()
  await at(w.page, 'member-card').getByTestId('presence').waitFor()
}

/** Programs in the group: lines to copy, webhooks both ways, a bot. */
async function programs(w) {
  const { page, words } = w
  await at(page, 'connect').click()
  await at(page, 'snippet').waitFor()
  await w.view('connect')
  await at(page, 'connect-language').locator('button').last().click()
  await at(page, 'make-hook').click()
  await until(() => at(page, 'make-hook').count(), (n) => n === 0, 'a webhook')
  await w.view('connect-hook')
  await w.shut()
  await at(page, 'open-programs').click()
  await at(page, 'new-bot').click()
  await at(page, 'new-webhook').click()
  await w.view('programs-new')
  await at(page, 'webhook-kind').locator('button').last().click()
  await at(page, 'webhook-name').fill(words.board.name)
  await at(page, 'webhook-url').fill(w.board.url('hook'))
  await at(page, 'webhook-make').click()
  await at(page, 'webhook-secret').waitFor()
  await at(page, 'webhook-test').click()
  await until(() => at(page, 'webhook-test').isEnabled(), Boolean, 'tried')
  await at(page, 'bot-name').fill(words.bot)
  await at(page, 'bot-make').click()
  await at(page, 'bot-secret').waitFor()
  await w.view('programs')
  await at(page, 'bot-secret').scrollIntoViewIfNeeded()
  await w.view('programs-bot')
  await w.shut()
}

/** With one of them alone. */
async function twoAlone(w) {
  const { page, words } = w
  const who = words.said[1][0]
  await card(w, who)
  await at(page, 'talk').click()
  await until(() => page.locator('.top h1').textContent().catch(() => ''), (h) => h === who, who)
  await say(page, words.alone[0])
  await w.sent(words.alone[0])
  const other = await w.member(who)
  const { members } = await other.ask('members', { groupId: (await w.hand(who, words.group)).groupId })
  const { group: { groupId } } = await other.ask('openDirect', { userId: members.find((m) => m.nickName === words.me).userId })
  await other.ask('sendMessage', { groupId, message: words.alone[1], clientId: crypto.randomUUID() })
  await w.sent(words.alone[1])
  await w.view('two-alone')
}

/** Other rooms: what is found, what waits, and what is not there. */
async function elsewhere(w) {
  const { page, words } = w
  for (const room of words.others) {
    await w.enter(room)
    await at(page, 'composer').waitFor()
    await say(page, '👋')
    await w.sent('👋')
  }
  await w.enter(words.group)
  for (const room of words.others) await (await w.hand(words.said[0][0], room)).say(words.elsewhere)
  await at(page, 'search-here').click()
  await at(page, 'search-field').waitFor()
  await w.view('search-start')
  await at(page, 'search-field').fill(words.find)
  await at(page, 'hit').first().waitFor()
  await w.view('search')
  await at(page, 'search-field').fill(words.nothing)
  await until(() => at(page, 'search').textContent(), (t) => t.includes(words.nothing), 'nothing found')
  await w.view('search-nothing')
  await w.goto('')
  await at(page, 'conversations').waitFor()
  await until(() => at(page, 'conversation').count(), (n) => n === 4, 'the rooms')
  await at(page, 'conversations').getByTestId('presence').first().waitFor()
  await w.view('list')
  await page.keyboard.press('?')
  await at(page, 'keys').waitFor()
  await w.view('keys')
  await w.shut()
  await w.enter(crypto.randomUUID())
  await page.locator('.empty[role=alert]').waitFor()
  await w.view('nowhere')
}

/** What is long, much, or many. */
async function extremes(w) {
  const { page, words } = w
  const room = words.extreme.room
  await w.enter(room)
  await at(page, 'composer').waitFor()
  await say(page, words.extreme.word)
  await w.sent(words.extreme.word.slice(0, 12))
  const seq = Number(await w.row(words.extreme.word.slice(0, 12)).getAttribute('data-seq'))
  const long = await w.hand(words.extreme.name, room)
  const others = await Promise.all(words.said.slice(0, 3).map(([who]) => w.hand(who, room)))
  await long.say(words.extreme.list)
  for (const [i, emoji] of ['👍', '🎉', '❤️', '👀', '😄', '🙏', '🔥', '🚀', '☕', '🌧️'].entries()) {
    for (const other of others.slice(0, 1 + (i % 3))) await other.react(seq, emoji)
  }
  await at(page, 'file-picker').setInputFiles(Array.from({ length: 5 }, (_, i) => ({ name: `${words.extreme.name}-${i}.png`, mimeType: 'image/png', buffer: w.picture })))
  await at(page, 'send').click()
  await until(() => page.locator('.pictures.many img').evaluateAll((all) => all.filter((i) => i.complete && i.naturalWidth > 0).length), (n) => n === 5, 'five pictures')
  await long.ask('typing', { groupId: long.groupId })
  await (await w.member(words.said[0][0])).ask('typing', { groupId: long.groupId })
  await at(page, 'typing').waitFor()
  await w.view('crowded')
  await w.row(words.extreme.word.slice(0, 12)).scrollIntoViewIfNeeded()
  await w.view('long-word')
  await at(page, 'file-picker').setInputFiles(Array.from({ length: 12 }, (_, i) => ({ name: `${i}.txt`, mimeType: 'text/plain', buffer: Buffer.from('12') })))
  await page.locator('.composer [role=alert]').waitFor()
  await page.locator('.main').dispatchEvent('dragover', { dataTransfer: await page.evaluateHandle(() => { const carried = new DataTransfer(); carried.items.add(new File([''], 'a')); return carried }) })
  await w.view('dropping')
  await page.locator('.main').dispatchEvent('dragleave')
  await w.view('too-many')
  await w.info()
  await at(page, 'group-info').getByTestId('presence').first().waitFor()
  await w.view('info-long')
  await at(page, 'find-member').click()
  await at(page, 'member-search').fill(words.nothing)
  await until(() => at(page, 'person').count(), (n) => n === 0, 'nobody')
  await w.view('member-nobody')
  await at(page, 'group-files').click()
  await at(page, 'grid-picture').nth(4).waitFor()
  await w.view('files-many')
  await w.dialog.locator('.choice button').nth(1).click()
  await page.locator('.files-none').waitFor()
  await w.view('files-none')
  await w.shut()
}

/** A plain member in somebody else's group: invited, called, silenced, put out; and who asks to come into mine. */
async function among(w) {
  const { page, words, server } = w
  const host = await w.member(words.said[1][0])
  const { group } = await host.ask('createGroup', { name: words.private, topic: words.topic })
  const { groupId } = group
  const { invite } = await host.ask('invite', { groupId })
  const stranger = await w.open()
  await stranger.goto(server.url + '/i/' + invite.token)
  await at(stranger, 'to-account').waitFor()
  await until(() => at(stranger, 'nickname').count(), (n) => n === 0, 'what the invitation is to')
  await w.view('invitation', stranger)
  await w.goto('/i/' + invite.token)
  await at(page, 'composer').waitFor()
  await w.view('private')
  await w.info()
  await w.view('info-member')
  if (w.narrow) await at(page, 'close-info').click()
  const say = async (message, more) => (await host.ask('sendMessage', { groupId, message, clientId: crypto.randomUUID(), ...more })).message
  const { members } = await host.ask('members', { groupId })
  const me = members.find((m) => m.nickName === words.me).userId
  await w.goto('')
  await at(page, 'conversations').waitFor()
  await Promise.all(Array.from({ length: 120 }, () => say(words.elsewhere)))
  await say(`@${words.me} ${words.said[4][1].replace(/^@\S+ /, '')}`, { mentions: [me] })
  await Promise.all(Array.from({ length: 30 }, () => say(words.said[5][1])))
  await until(() => page.locator('.at-me').count(), (n) => n === 1, 'called')
  const peer = await host.ask('openDirect', { userId: me })
  await host.ask('sendMessage', { groupId: peer.group.groupId, message: words.alone[1], clientId: crypto.randomUUID() })
  await w.enter(words.others[0])
  await at(page, 'composer').fill(words.typo)
  await w.info()
  await at(page, 'notify').locator('button').last().click()
  await at(page, 'pin-room').click()
  await until(() => at(page, 'pin-room').getAttribute('aria-checked'), (on) => on === 'true', 'pinned')
  await w.goto('')
  await page.locator('.draft').waitFor()
  await (await w.hand(words.said[0][0], words.others[0])).say(words.elsewhere)
  await page.locator('.badge.dot').waitFor()
  await w.view('list-busy')
  await at(page, 'find').click()
  await at(page, 'switcher-field').fill(words.said[1][0].slice(0, 1))
  await page.locator('.switcher .badge').first().waitFor()
  await w.view('switcher-found')
  await w.shut()
  await w.goto('/g/' + groupId)
  await at(page, 'new-line').waitFor()
  await at(page, 'mention-chip').waitFor()
  await w.view('unread')
  await at(page, 'mention-chip').click()
  await page.locator('.message.to-me').waitFor()
  await w.view('called')
  await host.ask('mute', { groupId, userId: me, until: new Date(Date.now() + 25 * 3600_000).toISOString() })
  await at(page, 'composer').fill(words.typo)
  await at(page, 'composer').press('Enter')
  await page.locator('[data-state=failed]').waitFor()
  await w.view('muted')
  await host.ask('kick', { groupId, userId: me })
  await page.locator('.gone').waitFor()
  await w.view('put-out')
  const club = await host.ask('createGroup', { name: words.club, visibility: 'public', joining: 'approval', members: [me] })
  await host.ask('setRole', { groupId: club.group.groupId, userId: me, role: 'admin' })
  const asker = await server.member('tomo', words.extreme.name)
  await asker.try('joinRoom', { groupId: club.group.groupId, text: words.reason })
  w.club = club.group.groupId
  await w.goto('/g/' + w.club)
  await at(page, 'composer').waitFor()
  await w.info()
  await at(page, 'approve').waitFor()
  await w.view('info-asking')
}

/** Who comes into the club and who may not any more, who is not heard alone, and what else there is to find. */
async function company(w) {
  const { page, words } = w
  await at(page, 'approve').click()
  await at(page, 'approve').waitFor({ state: 'detached' })
  await at(page, 'make-invite').click()
  await at(page, 'list-invites').click()
  await at(page, 'revoke-invite').waitFor()
  await at(page, 'revoke-invite').scrollIntoViewIfNeeded()
  await w.view('info-invites')
  await at(page, 'add').click()
  await at(page, 'add-person').first().check()
  await w.view('add-members')
  await w.shut()
  const host = await w.member(words.said[1][0])
  const { members } = await host.ask('members', { groupId: w.club })
  await host.ask('ban', { groupId: w.club, userId: members.find((m) => m.nickName === words.extreme.name).userId })
  await at(page, 'shape-group').click()
  await at(page, 'banned').waitFor()
  await at(page, 'banned').scrollIntoViewIfNeeded()
  await w.view('group-banned')
  await w.shut()
  const who = words.said[0][0]
  await w.enter(words.group)
  await at(page, 'composer').waitFor()
  await w.info()
  await card(w, who)
  await at(page, 'talk').click()
  await until(() => page.locator('.top h1').textContent().catch(() => ''), (h) => h === who, who)
  await w.info()
  await card(w, who)
  await at(page, 'block').click()
  await at(page, 'unblock-here').waitFor({ state: 'attached' })
  if (await w.dialog.count()) await w.shut()
  await at(page, 'close-info').click()
  await w.view('blocked')
  await at(page, 'unblock-here').click()
  await at(page, 'composer').waitFor()
  await host.ask('createGroup', { name: words.around, topic: words.topic, visibility: 'public', joining: 'approval' })
  await w.goto('')
  await at(page, 'find').click()
  await page.locator('.switcher [id^=to-]').filter({ hasText: words.around }).waitFor()
  await w.view('switcher-around')
  await at(page, 'switcher-field').fill(words.around)
  await page.locator('#to-make').click()
  await at(page, 'new-members').click()
  await at(page, 'add-person').nth(1).check()
  await w.view('new-group-members')
  await w.shut()
}

async function me(w) {
  const { page } = w
  await w.goto('')
  await at(page, 'settings').click()
  await at(page, 'change-name').click()
  await w.view('me')
  await page.keyboard.press('Escape')
  if (!(await at(page, 'handoff').isVisible())) await at(page, 'settings').click()
  for (const [part, what] of [['handoff', '[data-testid=qr] path'], ['change-password', '[data-testid=password-now]'], ['devices', '[data-testid=device]'], ['delete-me', '[data-testid=delete-password]']]) {
    await at(page, part).click()
    await page.locator('.inset').locator(what).first().waitFor()
    await page.locator('.inset').scrollIntoViewIfNeeded()
    await w.view('me-' + part)
  }
}

/** An outage, and what comes after it. */
async function outage(w) {
  const { page, words, proxy } = w
  await w.enter(words.group)
  await w.sent(words.typo)
  proxy.cut()
  for (const what of words.offline) await say(page, what)
  await at(page, 'connection').waitFor()
  await w.view('offline')
  proxy.mend()
  await retryNow(page)
  await page.waitForSelector('[data-testid=connection][data-state=back]')
  await w.view('back')
  await w.sent(words.offline.at(-1))
  await say(page, words.offline[0].repeat(900))
  await page.locator('[data-state=failed]').last().scrollIntoViewIfNeeded()
  await w.view('failed')
  await at(page, 'delete').click()
  const other = await w.hand(words.said[1][0], words.group)
  await Promise.all(Array.from({ length: 30 }, (_, i) => other.say(words.said[i % 2][1])))
  await until(() => page.locator('[data-testid=message]').count(), (n) => n >= 30, 'the crowd') // as many as a small screen keeps in the page
  await page.evaluate(() => (document.querySelector('[data-testid=timeline]').scrollTop = 300))
  await at(page, 'jump-latest').waitFor()
  await other.say(words.said[5][1])
  await until(() => at(page, 'jump-latest').textContent(), (t) => /1/.test(t), 'something new below')
  await w.view('scrolled')
}

/** Who runs the server, in a browser of their own: from the link that it printed, through every part of the area. */
async function administration(w) {
  const { words, server } = w
  const page = await w.open()
  const dialog = page.locator('dialog[open]')
  const see = (name) => w.view('admin-' + name, page)
  await page.goto(server.url + '/account#setup=' + /\/account#setup=(\S+)/.exec(server.output)[1])
  await at(page, 'username').fill('ruler')
  await at(page, 'nickname').fill(words.boss)
  await see('setup')
  await at(page, 'password').fill('ruling is hard')
  await at(page, 'submit').click()
  await page.locator('.me-bar, .tabs').first().waitFor()
  await see('no-rooms')
  const open = async (part, sign) => {
    await page.goto(server.url + '/admin/' + part)
    await at(page, sign).first().waitFor()
  }
  const shut = async () => {
    await page.keyboard.press('Escape')
    await until(() => dialog.count(), (n) => n === 0, 'closed')
  }
  await open('settings', 'server-settings')
  await at(page, 'word-list').fill(words.word)
  await at(page, 'words-save').click()
  await until(() => at(page, 'words-said').textContent(), (t) => t !== '', 'saved')
  await see('settings')
  await page.evaluate(() => document.querySelector('.admin-main').scrollTo(0, 0))
  await see('settings-top')
  await open('people', 'account')
  await see('people')
  await at(page, 'account-open').filter({ hasText: words.said[0][0] }).click()
  await at(page, 'account-card').waitFor()
  await see('person')
  await at(page, 'set-disabled').click()
  await see('person-sure')
  await shut()
  await at(page, 'add-person').click()
  await see('add')
  await at(page, 'make-it').click()
  await at(page, 'secret').locator('[data-testid=qr] path').waitFor()
  await see('added')
  await shut()
  await open('groups', 'listing')
  await see('groups')
  await at(page, 'listing-open').filter({ hasText: words.group }).click()
  await at(page, 'group-card').waitFor()
  await see('group')
  await shut()
  await open('reports', 'report')
  await see('reports')
  await at(page, 'verdict-mute').click()
  await see('judging')
  await open('audit', 'audit-entry')
  await see('audit')
  await open('', 'tile-connections')
  await at(page, 'lately').locator('time').first().waitFor()
  await see('overview')
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
