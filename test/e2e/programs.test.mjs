import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join as path } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { at, join, makeGroup, register, texts, until } from './support/browser.mjs'
import { suite } from './support/suite.mjs'

const python = ['python3', '/usr/bin/python3'].find((name) => spawnSync(name, ['-c', 'import socketio, requests'], { cwd: tmpdir() }).status === 0)
const noPython = !python && process.env.QUN_REQUIRE_ALL !== '1' && 'python3-socketio and python3-requests are not there'

suite('programs', (house) => {
  let members = 0
  const member = async (nickName, how) => {
    const page = await (await house.someone(how)).tab()
    await register(page, house.server.url, 'maker' + ++members, nickName)
    return page
  }
  const openCard = (page) => at(page, 'connect').click()
  const choose = async (page, label) => {
    await at(page, 'connect-language').getByRole('button', { name: label, exact: true }).click()
    return (await page.locator('[data-testid=snippet] code').textContent()) ?? ''
  }
  const state = (page) => at(page, 'connect-state').getAttribute('data-state')
  const turnsGreen = async (page, greeting) => {
    await until(() => state(page), (s) => s === 'connected', 'the light')
    assert.match(await at(page, 'connect-state').textContent(), greeting)
    await until(() => texts(page), (t) => t.some((line) => greeting.test(line)), 'the message')
  }

  /** Runs a file in a folder of its own, as who copied it would; ends it when the test has seen what it does. */
  async function running(command, name, text, during) {
    const folder = mkdtempSync(path(tmpdir(), 'qun-program-'))
    symlinkSync(fileURLToPath(new URL('node_modules', import.meta.url)), path(folder, 'node_modules'))
    writeFileSync(path(folder, name), text)
    const program = spawn(command, [name], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    for (const stream of [program.stdout, program.stderr]) stream.on('data', (part) => (said += part))
    try {
      await during()
    } catch (err) {
      throw new Error(`${err.message}; the program said: ${said}`)
    } finally {
      if (program.exitCode === null) {
        const ended = once(program, 'exit')
        program.kill('SIGKILL')
        await ended
      }
      rmSync(folder, { recursive: true, force: true })
    }
  }

  test('an open room: the lines for Node run as they are, and the card turns green', async () => {
    const page = await (await house.someone()).tab()
    await join(page, house.server.url, '小满', `it's "大厅" </script>`)
    await openCard(page)
    assert.equal(await state(page), 'waiting')
    const lines = await choose(page, 'Node')
    await running('node', 'hello.mjs', lines, () => turnsGreen(page, /你好，来自 Node/))
    assert.match(await choose(page, 'curl').catch(() => ''), /^$/)
  })

  test('the lines for a web page run as they are, on a page of another origin', async () => {
    const p = await house.someone({ locale: 'en-US' })
    const page = await p.tab()
    await join(page, house.server.url, 'Wren', house.newRoom())
    await openCard(page)
    const lines = await choose(page, 'Web page')
    const other = createServer((_, answer) => answer.setHeader('Content-Type', 'text/html').end(lines)).listen(0, '127.0.0.1')
    await once(other, 'listening')
    const visitor = await (await house.someone({ elsewhere: true })).tab()
    try {
      await visitor.goto(`http://localhost:${other.address().port}/`)
      await turnsGreen(page, /Hello from Web page/)
    } finally {
      await visitor.close()
      other.closeAllConnections()
      other.close()
    }
  })

  test('the lines for Python run as they are', { skip: noPython }, async () => {
    const page = await (await house.someone()).tab()
    await join(page, house.server.url, '小满', house.newRoom())
    await openCard(page)
    const lines = await choose(page, 'Python')
    await running(python, 'hello.py', lines, () => turnsGreen(page, /你好，来自 Python/))
  })

  test('a private group: a bot is made on the card, and Node and curl speak as it; the card knows nobody else', async () => {
    const page = await member('林晚')
    await makeGroup(page, '编辑部二')
    await openCard(page)
    assert.equal(await at(page, 'snippet').count(), 0, 'nothing to copy that would be refused')
    await at(page, 'make-bot').click()
    await at(page, 'snippet').waitFor()
    await running('node', 'hello.mjs', await choose(page, 'Node'), () => turnsGreen(page, /你好，来自 Node/))
    await page.keyboard.press('Escape')
    await openCard(page)
    assert.equal(await state(page), 'waiting', 'a new card is a new program')
    await at(page, 'make-bot').click()
    const line = await choose(page, 'curl')
    assert.equal(await state(page), 'waiting')
    assert.equal(spawnSync('sh', ['-c', line.replace('curl ', 'curl -sS --fail-with-body ')]).status, 0)
    await turnsGreen(page, /你好，来自 curl/)
  })

  test('an incoming webhook: made in the drawer, its call runs as it is; renewed, the old call is refused; renamed, deleted', async () => {
    const page = await member('苏禾')
    await makeGroup(page, '构建')
    await at(page, 'open-programs').click()
    await at(page, 'new-webhook').click()
    await at(page, 'webhook-name').fill('构建机')
    await at(page, 'webhook-make').click()
    const call = () => at(page, 'webhook-secret').locator('code').textContent()
    const curl = (line) => spawnSync('sh', ['-c', line.replace('curl ', 'curl -sS --fail-with-body ')])
    await at(page, 'webhook-secret').waitFor()
    const first = await call()
    assert.equal(curl(first).status, 0)
    await until(() => texts(page), (t) => t.includes('你好，来自 curl'), 'the message')
    await at(page, 'webhook-rotate').click()
    const second = await until(call, (line) => line !== first, 'another secret')
    assert.notEqual(curl(first).status, 0)
    assert.equal(curl(second).status, 0)
    await at(page, 'webhook-rename').click()
    await at(page, 'webhook-rename-field').fill('流水线')
    await at(page, 'webhook-rename-field').press('Enter')
    await until(() => at(page, 'webhook').textContent(), (t) => t.includes('流水线'), 'another name')
    await page.keyboard.press('Escape')
    await at(page, 'open-programs').click()
    await at(page, 'webhook').waitFor()
    assert.equal(await at(page, 'webhook-secret').count(), 0, 'it was shown once')
    await at(page, 'webhook-delete').click()
    await at(page, 'webhook-delete-sure').click()
    await until(() => at(page, 'webhook').count(), (n) => n === 0, 'none')
    assert.notEqual(curl(second).status, 0)
  })

  test('an outgoing webhook: tried, told, and when nobody takes it, said so; switched off and on', async () => {
    const taken = []
    let answer = 204
    const target = createServer(async (asked, a) => {
      let body = ''
      for await (const part of asked) body += part
      taken.push({ event: asked.headers['qun-event'], signature: asked.headers['webhook-signature'], ...JSON.parse(body) })
      a.writeHead(answer).end()
    }).listen(0, '127.0.0.1')
    await once(target, 'listening')
    try {
      const page = await member('Ines', { locale: 'en-US' })
      await makeGroup(page, 'Builds')
      await at(page, 'open-programs').click()
      await at(page, 'new-webhook').click()
      await at(page, 'webhook-kind').getByRole('button', { name: 'Outgoing' }).click()
      await at(page, 'webhook-name').fill('Board')
      await at(page, 'webhook-url').fill(`http://127.0.0.1:${target.address().port}/hook`)
      await at(page, 'webhook-make').click()
      assert.match(await at(page, 'webhook-secret').locator('code').textContent(), /^whsec_/)
      await at(page, 'webhook-test').click()
      await until(() => at(page, 'webhook-state').textContent(), (t) => t === 'It arrived, and was taken', 'the test')
      assert.deepEqual(taken.map((t) => t.event), ['ping'])
      answer = 500
      await at(page, 'webhook-test').click()
      await page.locator('[data-testid=programs] [role=alert]').waitFor()
      await page.keyboard.press('Escape')
      await at(page, 'composer').fill('it builds')
      await at(page, 'composer').press('Enter')
      await until(() => taken, (all) => all.some((t) => t.event === 'message' && t.message === 'it builds'), 'told')
      const words = async () => {
        await page.keyboard.press('Escape')
        await at(page, 'open-programs').click()
        await at(page, 'webhook-state').waitFor()
        return at(page, 'webhook-state').textContent()
      }
      await until(words, (t) => t.startsWith('Failing since'), 'it fails')
      assert.match(await words(), /500/)
      await at(page, 'webhook-on').click()
      await until(() => at(page, 'webhook-state').textContent(), (t) => t.startsWith('Switched off'), 'off')
      await at(page, 'webhook-on').click()
      await until(() => at(page, 'webhook-on').getAttribute('aria-checked'), (on) => on === 'true', 'on')
    } finally {
      target.closeAllConnections()
      target.close()
    }
  })

  test('a bot: made with scopes, renamed, coloured, given another token, taken out and let in, deleted', async () => {
    const page = await member('阿澈')
    await makeGroup(page, '机器人之家')
    await at(page, 'open-programs').click()
    await at(page, 'new-bot').click()
    await at(page, 'bot-name').fill('值班员')
    await at(page, 'scope-read').click() // it shall only speak
    await at(page, 'bot-make').click()
    const token = () => at(page, 'bot-secret').locator('code').textContent()
    await at(page, 'bot-secret').waitFor()
    const first = await token()
    const group = await page.evaluate(() => document.querySelector('[data-testid=conversation][aria-current=page]').dataset.groupId)
    const say = (t) => fetch(`${house.server.url}/api/v1/groups/${group}/messages`, { method: 'POST', headers: { 'Content-Type': 'application/json', Authorization: 'Bearer ' + t }, body: JSON.stringify({ message: '换班' }) })
    const read = (t) => fetch(`${house.server.url}/api/v1/groups/${group}/messages`, { headers: { Authorization: 'Bearer ' + t } })
    assert.deepEqual([(await say(first)).status, (await read(first)).status], [200, 403])
    await at(page, 'bot-token').click()
    await at(page, 'bot-token-make').click()
    const second = await until(token, (t) => t !== first, 'another token')
    assert.deepEqual([(await say(first)).status, (await say(second)).status], [401, 200])
    await at(page, 'bot-rename').click()
    await at(page, 'bot-rename-field').fill('夜班员')
    await at(page, 'bot-rename-field').press('Enter')
    await until(() => at(page, 'bot').textContent(), (t) => t.includes('夜班员'), 'another name')
    await at(page, 'bot-picture').click()
    await at(page, 'swatch').nth(2).click()
    const picture = await until(() => at(page, 'bot-picture').locator('img').getAttribute('src', { timeout: 500 }).catch(() => ''), (src) => /^\/avatars\//.test(src), 'a picture')
    await until(() => page.locator('[data-testid=person]').filter({ hasText: '夜班员' }).locator('img').getAttribute('src', { timeout: 500 }).catch(() => ''), (src) => src === picture, 'for the others, too')
    await at(page, 'bot-move').click()
    await until(() => at(page, 'bot').getAttribute('data-here'), (h) => h === 'false', 'out')
    assert.notEqual((await say(second)).status, 200)
    await at(page, 'bot-move').click()
    await until(() => at(page, 'bot').getAttribute('data-here'), (h) => h === 'true', 'in')
    await at(page, 'bot-delete').click()
    await at(page, 'bot-delete-sure').click()
    await until(() => at(page, 'bot').count(), (n) => n === 0, 'none')
    assert.equal((await say(second)).status, 401)
  })

  test('who does not run the group is offered no webhooks', async () => {
    const owner = await member('夜航船')
    await makeGroup(owner, '公开', 'open')
    const guest = await (await house.someone()).tab()
    await join(guest, house.server.url, '路过', '公开')
    await at(guest, 'connect').waitFor()
    assert.equal(await at(guest, 'open-programs').count(), 0)
    await openCard(guest)
    assert.equal(await at(guest, 'make-bot').count(), 0)
  })
}, { server: () => ['--webhook-network', '127.0.0.0/8'] })
