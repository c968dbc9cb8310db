import assert from 'node:assert/strict'
import { test } from 'node:test'
import { at, join, phone, rows, say, texts, until } from './support/browser.mjs'
import { suite } from './support/suite.mjs'

suite('admin', (house) => {
  let members = 0
  /** The administrator of the server, in a browser of its own: the first time by the link that the server printed. */
  let made = false
  const ruler = async (how) => {
    const page = await (await house.someone(how)).tab()
    if (!made) {
      const code = /\/account#setup=(\S+)/.exec(house.server.output)[1]
      await page.goto(house.server.url + '/account#setup=' + code)
      await at(page, 'username').fill('ruler')
    } else {
      await page.goto(house.server.url + '/account')
      await at(page, 'username').fill('ruler')
    }
    await at(page, 'password').fill('ruling is hard')
    await at(page, 'submit').click()
    await page.locator('.me-bar, .tabs').first().waitFor()
    made = true
    return page
  }
  const member = async (nickName, how) => {
    const page = await (await house.someone(how)).tab()
    await page.goto(house.server.url + '/account')
    await at(page, 'to-register').click()
    await at(page, 'username').fill('subject' + ++members)
    await at(page, 'nickname').fill(nickName)
    await at(page, 'password').fill('a long secret ' + members)
    await at(page, 'submit').click()
    await page.locator('.me-bar, .tabs').first().waitFor()
    return page
  }
  const open = async (page, part) => {
    await page.goto(house.server.url + '/admin' + (part ? '/' + part : ''))
    await at(page, 'admin').waitFor()
  }
  const account = async (page, name) => {
    await open(page, 'people')
    await at(page, 'find-person').fill(name)
    await until(() => at(page, 'account').count(), (n) => n === 1, 'one account')
    await at(page, 'account-open').click()
    await at(page, 'account-card').waitFor()
  }
  const audited = async (page, act) => {
    await open(page, 'audit')
    await at(page, 'audit-act').selectOption(act)
    await until(() => at(page, 'audit-entry').count(), (n) => n > 0, act + ' in the audit')
  }

  test('the area is reached from me, shows how the server is, and is not there for anybody else', async () => {
    const [page, other, guest] = [await ruler(), await member('过客'), await (await house.someone()).tab()]
    await at(page, 'settings').click()
    await at(page, 'to-admin').click()
    await at(page, 'tile-connections').waitFor()
    await until(() => at(page, 'tile-connections').locator('.tile-value').textContent(), (t) => Number(t) >= 2, 'connections are counted', 20_000)
    await until(() => at(page, 'tile-memory').locator('.spark-line').count(), (n) => n === 1, 'a plot', 20_000)
    await at(other, 'settings').click()
    await at(other, 'sign-out').waitFor()
    assert.equal(await at(other, 'to-admin').count(), 0)
    for (const [who, name] of [[other, 'a member'], [guest, 'nobody']]) {
      await who.goto(house.server.url + '/admin/people')
      await at(who, 'not-found').waitFor()
      assert.equal(await at(who, 'admin').count(), 0, name)
    }
    await page.goto(house.server.url + '/admin/nonsense')
    await at(page, 'not-found').waitFor()
  })

  test('people: a link to a new password, signing out, disabling, another administrator, deleting', async () => {
    const page = await ruler()
    const subject = await member('阿澈')
    await account(page, '阿澈')
    await at(page, 'sign-out-all').click()
    await at(page, 'sure').click()
    await subject.getByTestId('nickname').waitFor()
    await account(page, '阿澈')
    await at(page, 'reset').click()
    const link = await at(page, 'secret').locator('code').textContent()
    await subject.goto(link)
    await at(subject, 'password').fill('quite another one')
    await at(subject, 'submit').click()
    await until(() => subject.evaluate(() => document.body.textContent), (t) => /密码换好了/.test(t), 'the password is set')
    await account(page, '阿澈')
    await at(page, 'set-disabled').click()
    assert.match(await page.getByRole('alertdialog').textContent(), /停用 阿澈/)
    await at(page, 'not-sure').click()
    await at(page, 'set-disabled').click()
    await at(page, 'sure').click()
    await until(() => at(page, 'account').first().textContent(), (t) => t.includes('已停用'), 'disabled')
    await at(page, 'account-open').click()
    await at(page, 'set-disabled').click()
    await at(page, 'sure').click()
    await until(() => at(page, 'account').first().textContent(), (t) => t.includes('正常'), 'enabled')
    await at(page, 'account-open').click()
    await at(page, 'set-admin').click()
    await at(page, 'sure').click()
    await until(() => at(page, 'account').first().textContent(), (t) => t.includes('管理员'), 'an administrator')
    await at(page, 'account-open').click()
    await at(page, 'delete-account').click()
    await at(page, 'erase').check()
    await at(page, 'sure').click()
    await until(() => at(page, 'account').count(), (n) => n === 0, 'deleted')
    for (const act of ['signOut', 'reset', 'disable', 'enable', 'setAdmin', 'deleteUser']) await audited(page, act)
  })

  test('people: an account made for somebody, an invitation, a bot', async () => {
    const page = await ruler()
    const add = async (way) => {
      await open(page, 'people')
      await at(page, 'add-person').click()
      await page.locator('dialog').getByRole('button', { name: way, exact: true }).click()
    }
    await add('直接建账号')
    await at(page, 'new-username').fill('newcomer')
    await at(page, 'make-it').click()
    const link = await at(page, 'secret').locator('code').textContent()
    await at(page, 'secret').locator('[data-testid=qr] path').waitFor()
    const newcomer = await (await house.someone()).tab()
    await newcomer.goto(link)
    await at(newcomer, 'password').fill('first of my own')
    await at(newcomer, 'submit').click()
    await until(() => newcomer.evaluate(() => document.body.textContent), (t) => /密码换好了/.test(t), 'the password is set')
    await add('机器人')
    await at(page, 'bot-name').fill('天气')
    await at(page, 'make-it').click()
    assert.match(await at(page, 'secret').locator('code').textContent(), /^b\./)
    await add('邀请链接')
    await at(page, 'make-it').click()
    assert.match(await at(page, 'secret').locator('code').textContent(), /\/account#invite=/)
    for (const act of ['addUser', 'createBot', 'invite']) await audited(page, act)
  })

  test('reports: what was said is taken back, its author is put out, and each decision is resolved', async () => {
    const page = await ruler()
    const [loud, quiet] = [await member('大嗓门'), await member('清净')]
    const room = house.newRoom()
    for (const who of [loud, quiet]) {
      await who.goto(house.server.url + '/g/' + encodeURIComponent(room))
      await at(who, 'composer').waitFor()
    }
    await say(loud, '便宜卖了')
    await until(() => texts(quiet), (t) => t.includes('便宜卖了'), 'heard')
    const report = async () => {
      await quiet.locator('[data-testid=message]').last().click({ button: 'right' })
      await quiet.getByRole('menuitem', { name: '举报' }).click()
      await quiet.locator('dialog textarea, dialog input').first().fill('广告')
      await quiet.locator('dialog .button-main').click()
      await until(() => quiet.locator('dialog textarea, dialog input').count(), (n) => n === 0, 'reported')
      await quiet.keyboard.press('Escape')
      await until(() => quiet.locator('dialog').count(), (n) => n === 0, 'closed')
    }
    await report()
    await open(page, 'reports')
    const card = at(page, 'report').filter({ hasText: '便宜卖了' })
    await card.waitFor()
    assert.match(await card.textContent(), /广告.*清净/)
    await card.getByTestId('verdict-recall').click()
    await card.getByTestId('sure').click()
    await until(() => texts(quiet), (t) => !t.includes('便宜卖了'), 'recalled')
    await until(() => card.count(), (n) => n === 0, 'resolved')
    await say(loud, '再来一次')
    await until(() => texts(quiet), (t) => t.includes('再来一次'), 'heard')
    await report()
    await page.reload()
    await at(page, 'verdict-ban').click()
    await at(page, 'sure').click()
    await until(() => loud.evaluate(() => document.body.textContent), (t) => /移出/.test(t), 'put out')
    await page.getByRole('button', { name: '已处理' }).click()
    await until(() => at(page, 'report').count(), (n) => n >= 2, 'both are kept')
    await audited(page, 'ban')
    await at(page, 'audit-by').first().click()
    await at(page, 'audit-chip').waitFor()
    await at(page, 'audit-from').fill('2026-01-02')
    assert.equal(await at(page, 'audit-from-spelled').textContent(), '2026年1月2日 星期五')
    await at(page, 'audit-from').fill('')
  })

  test('groups: limits hold at once, another owner, dissolved', async () => {
    const page = await ruler()
    const [owner, heir] = [await member('老群主'), await member('新群主')]
    const room = house.newRoom()
    for (const who of [owner, heir]) {
      await who.goto(house.server.url + '/g/' + encodeURIComponent(room))
      await at(who, 'composer').waitFor()
    }
    await say(owner, '在吗')
    await until(() => texts(heir), (t) => t.includes('在吗'), 'heard')
    const choose = async () => {
      await open(page, 'groups')
      await at(page, 'find-group').fill(room)
      await until(() => at(page, 'listing').count(), (n) => n === 1, 'found')
      await at(page, 'listing-open').click()
    }
    await choose()
    await at(page, 'limit-slow').selectOption('30')
    await at(page, 'limit-save').click()
    await until(() => at(page, 'group-card').count(), (n) => n === 0, 'saved')
    await choose()
    assert.equal(await at(page, 'limit-slow').inputValue(), '30')
    await at(page, 'give-owner').click()
    await at(page, 'heir').filter({ hasText: '新群主' }).click()
    await at(page, 'sure').click()
    await until(() => at(page, 'listing').textContent(), (t) => t.includes('新群主'), 'another owner')
    await at(page, 'listing-open').click()
    await at(page, 'dissolve').click()
    await at(page, 'sure').click()
    await until(() => at(page, 'listing').count(), (n) => n === 0, 'gone')
    await until(() => heir.evaluate(() => document.body.textContent), (t) => /解散/.test(t), 'told')
  })

  test('settings: a name, guests and words change at once; what the server was started with stays', async () => {
    const page = await ruler()
    const guest = await (await house.someone()).tab()
    await join(guest, house.server.url, '小满', house.newRoom())
    await open(page, 'settings')
    await at(page, 'set-name').fill('菜市场')
    await at(page, 'settings-save').click()
    await until(() => at(page, 'settings-said').textContent(), (t) => t !== '', 'saved')
    const stranger = await (await house.someone()).tab()
    await stranger.goto(house.server.url)
    await until(() => stranger.locator('footer').textContent(), (t) => t.includes('菜市场'), 'its name')
    assert.equal(await at(page, 'set-messagesPerSecond').isDisabled(), true)
    assert.match(await at(page, 'server-settings').textContent(), /由 --limit-messages 固定/)
    await at(page, 'word-list').fill('白菜\n萝卜')
    await at(page, 'words-save').click()
    await until(() => at(page, 'words-said').textContent(), (t) => t !== '', 'saved')
    await say(guest, '卖白菜')
    await until(() => rows(guest), (r) => r.at(-1)?.state === 'failed', 'refused')
    await at(page, 'word-list').fill('')
    await at(page, 'words-save').click()
    await at(page, 'set-guests').selectOption('off')
    await at(page, 'settings-save').click()
    await until(() => at(page, 'settings-said').textContent(), (t) => t !== '', 'saved')
    await say(guest, '还在吗')
    await until(() => rows(guest).then((r) => r.at(-1)?.state), (s) => s !== 'sent', 'a guest says nothing any more')
    await at(page, 'set-guests').selectOption('open')
    await at(page, 'settings-save').click()
    await until(() => at(page, 'settings-said').textContent(), (t) => t !== '', 'saved')
    await audited(page, 'setting')
  })

  test('on a phone: every part fits, tables are cards, and the keyboard reaches what a finger does', async () => {
    const page = await ruler({ viewport: phone, locale: 'en-US' })
    for (const part of ['', 'people', 'groups', 'reports', 'audit', 'settings']) {
      await open(page, part)
      await page.locator('h1').waitFor()
      const wide = await page.evaluate(() => document.querySelector('.admin-main').scrollWidth - document.querySelector('.admin-main').clientWidth)
      assert.ok(wide <= 0, `${part || 'overview'} is ${wide} px too wide`)
    }
    await open(page, 'people')
    await at(page, 'account').first().waitFor()
    await at(page, 'account-open').first().focus()
    await page.keyboard.press('Enter')
    await at(page, 'account-card').waitFor()
    await page.keyboard.press('Escape')
    await until(() => at(page, 'account-card').count(), (n) => n === 0, 'closed')
    assert.equal(await page.evaluate(() => document.activeElement?.dataset.testid), 'account-open', 'the focus is back')
  })
})

suite('account and files', (house) => {
  const member = async (username, nickName) => {
    const page = await (await house.someone()).tab()
    await page.goto(house.server.url + '/account')
    await at(page, 'to-register').click()
    await at(page, 'username').fill(username)
    await at(page, 'nickname').fill(nickName)
    await at(page, 'password').fill('a long secret of mine')
    await at(page, 'submit').click()
    await page.locator('.me-bar, .tabs').first().waitFor()
    return page
  }
  const picture = async (page, width, height, colour, name) => ({
    name, mimeType: 'image/png',
    buffer: Buffer.from(await page.evaluate(({ width, height, colour }) => {
      const canvas = Object.assign(document.createElement('canvas'), { width, height })
      const pen = canvas.getContext('2d')
      pen.fillStyle = colour
      pen.fillRect(0, 0, width, height)
      return canvas.toDataURL('image/png').split(',')[1]
    }, { width, height, colour }), 'base64'),
  })

  test('deleting my account asks for the password, ends all my tabs, and leaves what I said without my name', async () => {
    const page = await member('leaver', '要走的人')
    const room = house.newRoom()
    await page.goto(house.server.url + '/g/' + encodeURIComponent(room))
    await say(page, '再会')
    await until(() => rows(page), (r) => r.at(-1)?.state === 'sent', 'said')
    const tab = await page.context().newPage()
    await tab.goto(house.server.url + '/g/' + encodeURIComponent(room))
    await at(tab, 'composer').waitFor()
    const other = await (await house.someone()).tab()
    await join(other, house.server.url, '留下的人', room)
    await at(page, 'settings').click()
    await at(page, 'delete-me').click()
    await at(page, 'delete-password').fill('wrong')
    await at(page, 'delete-sure').click()
    await at(page, 'delete-form').getByRole('alert').waitFor()
    await at(page, 'delete-password').fill('a long secret of mine')
    await at(page, 'delete-sure').click()
    await at(page, 'nickname').waitFor()
    await at(tab, 'nickname').waitFor()
    await until(() => other.locator('.message header b').first().textContent(), (n) => n === '已注销', 'the name is gone')
    assert.ok((await texts(other)).includes('再会'), 'what was said stays')
    await page.goto(house.server.url + '/account')
    await at(page, 'username').fill('leaver')
    await at(page, 'password').fill('a long secret of mine')
    await at(page, 'submit').click()
    await page.getByRole('alert').waitFor()
  })

  test('a group has a picture, and a list of what was sent in it', async () => {
    const page = await member('keeper', '管家')
    const other = await (await house.someone()).tab()
    const room = house.newRoom()
    await page.goto(house.server.url + '/g/' + encodeURIComponent(room))
    await at(page, 'composer').waitFor()
    await say(page, '第一句')
    await until(() => rows(page), (r) => r.at(-1)?.state === 'sent', 'said')
    await at(page, 'group-picture-file').setInputFiles([await picture(page, 300, 200, 'teal', '门.png')])
    await until(() => at(page, 'group-info').locator('.who img').count(), (n) => n === 1, 'its picture')
    await join(other, house.server.url, '访客', room)
    await until(() => at(other, 'group-info').locator('.who img').count(), (n) => n === 1, 'others see it')
    assert.equal(await at(other, 'group-picture').count(), 0, 'a guest changes nothing')
    const size = await at(other, 'group-info').locator('.who img').evaluate((img) => img.decode().then(() => img.naturalWidth / img.naturalHeight))
    assert.equal(size, 1, 'a square')
    await at(page, 'file-picker').setInputFiles([await picture(page, 64, 64, 'gold', '甲.png'), await picture(page, 64, 64, 'navy', '乙.png'), { name: '清单.txt', mimeType: 'text/plain', buffer: Buffer.from('一') }])
    await at(page, 'send').click()
    await until(() => rows(page), (r) => r.length === 2 && r.at(-1).state === 'sent', 'sent')
    for (let i = 0; i < 30; i++) await say(page, '后来的话 ' + i)
    await at(other, 'group-files').click()
    await until(() => at(other, 'grid-picture').count(), (n) => n === 2, 'two pictures')
    await at(other, 'grid-picture').first().click()
    assert.match(await at(other, 'viewer').textContent(), /\.png/)
    await other.keyboard.press('Escape')
    await until(() => at(other, 'viewer').count(), (n) => n === 0, 'closed')
    await other.locator('dialog').getByRole('button', { name: '文件', exact: true }).click()
    await until(() => at(other, 'list-jump').textContent().catch(() => ''), (t) => t.includes('清单.txt'), 'the file')
    const [download] = await Promise.all([other.waitForEvent('download'), at(other, 'list-download').click()])
    assert.equal(download.suggestedFilename(), '清单.txt')
    await at(other, 'list-jump').click()
    await until(() => other.evaluate(() => document.querySelector('.message.target [data-testid=file]')?.textContent ?? ''), (t) => t.includes('清单.txt'), 'its message')
  })
})
