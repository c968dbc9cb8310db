import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { after, before, test } from 'node:test'
import { deflateSync } from 'node:zlib'
import { at, join, rows, say, until } from './support/browser.mjs'
import { suite } from './support/suite.mjs'

// Pages of this machine stand for the web: the server may look at them, the browsers must not.
suite('previews', (house) => {
  let web, base
  const asked = []

  before(async () => {
    web = createServer((request, response) => {
      asked.push({ url: request.url, agent: request.headers['user-agent'], referer: request.headers.referer })
      if (request.url === '/p.png') return response.writeHead(200, { 'Content-Type': 'image/png' }).end(png(120, 60))
      if (request.url.startsWith('/missing')) return response.writeHead(404).end('<title>not here</title>')
      response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(`<title>plain</title>
        <meta property="og:site_name" content="读书会"><meta property="og:title" content="第七章：&lt;b&gt;回滚&lt;/b&gt; ${request.url}">
        <meta property="og:description" content="下周读这一章，&lt;script&gt;document.title='hacked'&lt;/script&gt;"><meta property="og:image" content="/p.png">`)
    }).listen(0, '127.0.0.1')
    await once(web, 'listening')
    base = 'http://127.0.0.1:' + web.address().port
  })
  after(() => web.close())

  test('a link gets a card from our own server; an edit changes it, its author takes it off, and it stays off', async () => {
    const [a, b] = [await (await house.someone()).tab(), await (await house.someone()).tab()]
    const strange = []
    for (const page of [a, b]) page.on('request', (r) => r.url().startsWith(house.server.url) || /^(data|blob):/.test(r.url()) || strange.push(r.url()))
    const room = house.newRoom()
    await join(a, house.server.url, '林晚', room)
    await join(b, house.server.url, '小满', room)
    for (let i = 0; i < 25; i++) await say(a, '第 ' + i + ' 句')
    await say(a, `看这个 ${base}/one`)
    const card = at(b, 'preview')
    await until(() => card.count(), (n) => n === 1, 'the card at the other')
    assert.match(await card.textContent(), /读书会 · 127\.0\.0\.1:\d+.*第七章：<b>回滚<\/b> \/one.*<script>/s, 'a stranger’s words are text')
    const link = card.locator('a')
    assert.equal(await link.getAttribute('href'), base + '/one')
    assert.match(await link.getAttribute('rel'), /noreferrer/)
    assert.equal(await link.getAttribute('referrerpolicy'), 'no-referrer')
    const picture = at(b, 'preview-picture')
    await until(() => picture.evaluate((img) => img.complete && img.naturalWidth), (w) => w === 120, 'its picture')
    assert.match(await picture.getAttribute('src'), /^\/files\//)
    await until(() => b.locator('[data-testid=timeline], [role=log]').first().evaluate((log) => {
      const scroller = log.closest('.timeline') ?? log
      return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight
    }), (rest) => rest < 4, 'the end of the talk stays in sight when a card comes')
    assert.equal(await at(b, 'remove-preview').count(), 0, 'only the author takes it off')

    const seq = (await rows(a)).at(-1).seq
    await a.locator(`[data-seq="${seq}"]`).focus()
    await a.keyboard.press('e')
    await until(() => at(a, 'composer').inputValue().catch(() => at(a, 'composer').textContent()), (t) => t.includes('/one'), 'the text to be edited')
    await at(a, 'composer').fill(`看这个 ${base}/two`)
    await a.keyboard.press('Enter')
    await until(() => card.textContent().catch(() => ''), (t) => t.includes('/two'), 'the card of the other link')

    await at(a, 'remove-preview').click()
    for (const page of [a, b]) await until(() => at(page, 'preview').count(), (n) => n === 0, 'taken off for both')
    await b.reload()
    await until(() => rows(b), (r) => r.some((m) => m.text.includes('/two')), 'the message after a reload')
    assert.equal(await at(b, 'preview').count(), 0, 'it stays off')
    assert.deepEqual(strange, [], 'no browser asked another server for anything')
    assert.ok(asked.every((r) => /Qun link preview/.test(r.agent) && r.referer === undefined), JSON.stringify(asked))
  })

  test('a page that is not there leaves the message as it is, a recalled one loses its card', async () => {
    const [a, b] = [await (await house.someone({ locale: 'en-US' })).tab(), await (await house.someone({ locale: 'en-US' })).tab()]
    const room = house.newRoom()
    await join(a, house.server.url, 'Mara', room)
    await join(b, house.server.url, 'Wren', room)
    await say(a, `nothing at ${base}/missing`)
    await until(() => asked.some((r) => r.url === '/missing'), (yes) => yes, 'the server looks')
    await say(a, `something at ${base}/there`)
    await until(() => at(b, 'preview').count(), (n) => n === 1, 'one card, of the second')
    assert.equal(await at(a, 'remove-preview').getAttribute('aria-label'), 'Remove preview')
    const seq = (await rows(a)).at(-1).seq
    await a.locator(`[data-seq="${seq}"]`).focus()
    await a.keyboard.press('Delete')
    for (const page of [a, b]) await until(() => at(page, 'preview').count(), (n) => n === 0, 'recalled')
  })
}, { server: () => ['--preview-network', '127.0.0.0/8'] })

/** A grey picture. */
function png(width, height) {
  const chunk = (kind, data) => {
    const body = Buffer.concat([Buffer.from(kind), data])
    const out = Buffer.alloc(8)
    out.writeUInt32BE(data.length)
    out.writeUInt32BE(crc(body), 4)
    return Buffer.concat([out.subarray(0, 4), body, out.subarray(4)])
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width)
  head.writeUInt32BE(height, 4)
  head.set([8, 0, 0, 0, 0], 8)
  const lines = Buffer.alloc((width + 1) * height, 0x80)
  for (let y = 0; y < height; y++) lines[y * (width + 1)] = 0
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', head), chunk('IDAT', deflateSync(lines)), chunk('IEND', Buffer.alloc(0))])
}

function crc(bytes) {
  let c = ~0
  for (const byte of bytes) {
    c ^= byte
    for (let i = 0; i < 8; i++) c = (c >>> 1) ^ (c & 1 ? 0xedb88320 : 0)
  }
  return ~c >>> 0
}
