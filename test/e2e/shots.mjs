// Takes a picture of every screen in both languages, themes and sizes, from a real server: npm run shots [folder] [only].
import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as path } from 'node:path'
import { desk, dress, launch, phone } from './support/browser.mjs'
import { missing } from './support/needs.mjs'
import { tour } from './support/tour.mjs'

const lacking = missing()
if (lacking) {
  console.log('no pictures: ' + lacking)
  process.exit(0)
}

const folder = process.argv[2] ?? mkdtempSync(path(tmpdir(), 'qun-shots-'))
const only = process.argv[3] ?? '' // for instance zh.phone
mkdirSync(folder, { recursive: true })
const browser = await launch()
for (const locale of ['zh-CN', 'en-US']) {
  for (const [size, viewport] of Object.entries({ desk, phone })) {
    const book = `${locale.slice(0, 2)}.${size}`
    if (!book.includes(only)) continue
    await tour(browser, {
      locale, viewport,
      see: async (screen, page) => {
        for (const colorScheme of ['dark', 'light']) {
          await dress(page, colorScheme)
          await page.screenshot({ path: path(folder, `${screen}.${book}.${colorScheme}.png`) })
        }
      },
    })
  }
}
await browser.close()
console.log(folder)
