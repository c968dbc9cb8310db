import assert from 'node:assert/strict'
import { test } from 'node:test'
import { at, join, phone, rows, say, until } from './support/browser.mjs'
import { suite } from './support/suite.mjs'

suite('files', (house) => {
  /** A picture of that size, drawn by the page itself. */
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
  const pick = (page, files) => at(page, 'file-picker').setInputFiles(files)

  test('pictures and a file, with words and without; the other sees them and looks at one after the other', async () => {
    const [a, b] = [await (await house.someone()).tab(), await (await house.someone({ viewport: phone })).tab()]
    const room = house.newRoom()
    await join(a, house.server.url, '林晚', room)
    await join(b, house.server.url, '小满', room)
    await pick(a, [await picture(a, 640, 320, 'teal', '横.png'), { name: '记录.md', mimeType: 'text/markdown', buffer: Buffer.from('# 一') }])
    await say(a, '图在这里')
    await until(() => rows(a), (r) => r[0]?.state === 'sent', 'sent')
    const shown = at(b, 'picture').first().locator('img')
    await until(() => shown.evaluate((img) => img.complete && img.naturalWidth), (w) => w > 0, 'the picture at the other')
    const { width, height } = await at(b, 'picture').first().boundingBox()
    assert.ok(Math.abs(width / height - 2) < 0.1, `its box is ${width} × ${height}`)
    assert.equal((await rows(b))[0].text, '图在这里')
    assert.match(await at(b, 'file').textContent(), /记录\.md/)
    await pick(a, [await picture(a, 100, 200, 'gold', '竖.png')])
    await at(a, 'send').click()
    await until(() => at(b, 'picture').count(), (n) => n === 2, 'the second picture')
    assert.deepEqual((await rows(b)).map((r) => r.text), ['图在这里', ''], 'a picture without words has none')
    await at(b, 'picture').first().click()
    assert.match(await at(b, 'viewer').textContent(), /横\.png/)
    await b.keyboard.press('ArrowRight')
    await until(() => at(b, 'viewer').textContent(), (t) => t.includes('竖.png'), 'the next')
    await b.keyboard.press('Escape')
    await until(() => at(b, 'viewer').count(), (n) => n === 0, 'closed')
  })

  test('a picture sent offline survives a reload and arrives once', async () => {
    const [a, b] = [await (await house.someone()).tab(), await (await house.someone()).tab()]
    const room = house.newRoom()
    await join(a, house.proxy.url, '隧道里', room)
    await join(b, house.server.url, '等着的人', room)
    const file = await picture(a, 50, 50, 'navy', '隧道.png')
    house.proxy.cut()
    await pick(a, [file])
    await at(a, 'send').click()
    await until(() => rows(a), (r) => r.map((m) => m.state).join() === 'pending', 'pending')
    assert.equal(await at(a, 'picture').locator('img').evaluate((img) => img.decode().then(() => img.naturalWidth)), 50)
    await a.reload()
    await until(() => at(a, 'picture').count(), (n) => n === 1, 'still there')
    house.proxy.mend()
    await until(() => rows(a), (r) => r.map((m) => m.state).join() === 'sent', 'sent')
    await until(() => at(b, 'picture').count(), (n) => n === 1, 'it arrives')
    await a.waitForTimeout(500)
    assert.equal(await at(b, 'picture').count(), 1, 'once')
  })

  test('what is pasted or dropped waits in the tray; what is too large is told at once', async () => {
    const page = await (await house.someone()).tab()
    await join(page, house.server.url, '小满', house.newRoom())
    await page.evaluate(() => {
      const data = new DataTransfer()
      data.items.add(new File(['a,b'], '表.csv', { type: 'text/csv' }))
      document.querySelector('[data-testid=composer]').dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }))
    })
    await until(() => at(page, 'tray').textContent().catch(() => ''), (t) => t.includes('表.csv'), 'pasted')
    await page.evaluate(() => {
      const data = new DataTransfer()
      data.items.add(new File([new Uint8Array(21e6)], '大.bin'))
      document.querySelector('.main').dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }))
    })
    await until(() => page.locator('.composer [role=alert]').textContent().catch(() => ''), (t) => /大\.bin.*太大/.test(t), 'the complaint')
    await at(page, 'tray').getByRole('button').click()
    assert.equal(await at(page, 'send').isDisabled(), true)
  })
})
