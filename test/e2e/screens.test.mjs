import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readFileSync } from 'node:fs'
import { desk, dress, faults, phone } from './support/browser.mjs'
import { Server } from './support/server.mjs'
import { suite } from './support/suite.mjs'
import { tour } from './support/tour.mjs'

const axe = readFileSync(new URL('node_modules/axe-core/axe.min.js', import.meta.url), 'utf8')

/** What axe holds to be serious or critical on the page as it stands; another theme is only a matter of contrast. */
async function barriers(page, colorScheme) {
  await dress(page, colorScheme)
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe)
  return page.evaluate(async (colorScheme) => {
    const { violations } = await window.axe.run(document, { resultTypes: ['violations'], ...(colorScheme === 'dark' && { runOnly: { type: 'rule', values: ['color-contrast'] } }) })
    return violations.filter((v) => ['serious', 'critical'].includes(v.impact))
      .map((v) => `${colorScheme}, ${v.id}: ` + v.nodes.slice(0, 3).map((n) => `${n.target.join(' ')} ${n.any[0]?.message ?? ''}`).join(' | '))
  }, colorScheme)
}

/** All words that a reader or a screen reader gets. */
const words = (page) => page.evaluate(() => {
  const labels = [...document.querySelectorAll('[aria-label], [title], [placeholder], [alt]')].filter((e) => !e.closest('.emoji-grid')).flatMap((e) => ['aria-label', 'title', 'placeholder', 'alt'].map((a) => e.getAttribute(a) ?? ''))
  const choices = [...document.querySelectorAll('option')].map((o) => o.textContent)
  return [document.title, document.body.innerText, ...labels, ...choices].join('\n').split('\n').map((line) => line.trim()).filter(Boolean)
})

// What stands in the pages that is nobody's language: names of programs, addresses, keys, code, and the other language's own name.
const han = /\p{Script=Han}/u
const latin = /[A-Za-z]{2,}/
const allowed = {
  'zh-CN': /update epoch set frozen = true;|call migrate_down\('0009_rev'\);|https:\/\/example\.org\/board|English|Qun|[Ww]ren|127\.0\.0\.1|https?|--lan|sql|\.png|\.md|Ctrl|Alt|Shift|Enter|Esc|Tab|Home|End|[kM]B|Chrom\w+|Linux|TA|webhook/g,
  'en-US': /中文/g,
}
const foreign = { 'zh-CN': latin, 'en-US': han }

const wider = (page) => page.evaluate(() => {
  const panes = [document.documentElement, ...document.querySelectorAll('.timeline, .info-body, .dialog-body, .conversations, .menu')]
  return panes.filter((p) => p.scrollWidth > p.clientWidth + 1).map((p) => {
    const edge = p.getBoundingClientRect().left + p.clientWidth
    const over = [...p.querySelectorAll('*')].filter((e) => e.getBoundingClientRect().right > edge + 1).map((e) => `${e.tagName}.${e.getAttribute('class')} by ${Math.round(e.getBoundingClientRect().right - edge)} px`)
    return `${p.className || p.tagName}: ${over.slice(0, 4).join(', ')}`
  })
})

suite('screens', (house) => {
  const every = async (how, look) => {
    const fresh = await Server.start()
    const found = []
    let screens = 0
    try {
      const complaints = await tour(house.browser, fresh, {
        ...how,
        see: async (name, page) => {
          screens++
          for (const problem of await look(page)) found.push(`${name}: ${problem}`)
        },
      })
      assert.deepEqual(faults(complaints), [], 'the console is quiet')
    } finally {
      await fresh.stop()
      assert.deepEqual(found, [])
    }
    assert.ok(screens > 35, `${screens} screens`)
  }
  const ofLanguage = (locale) => async (page) => (await words(page))
    .filter((line) => foreign[locale].test(line.replace(allowed[locale], '')) || /undefined|\[object|NaN|\$\{/.test(line)).map((line) => 'in the other language, or missing: ' + line)
  const forAll = (colours) => async (page) => {
    const problems = []
    for (const colorScheme of colours) problems.push(...(await barriers(page, colorScheme)))
    return problems
  }
  const noWider = async (page) => (await wider(page)).map((what) => 'wider than its place: ' + what)
  const both = (...looks) => async (page) => {
    const problems = []
    for (const look of looks) problems.push(...(await look(page)))
    return problems
  }

  test('Chinese, at a desk: nothing in another language, no barrier in light and dark, nothing wider than its place', () =>
    every({ locale: 'zh-CN', viewport: desk }, both(ofLanguage('zh-CN'), forAll(['dark', 'light']), noWider)))

  test('English, on a phone: the same', () =>
    every({ locale: 'en-US', viewport: phone }, both(ofLanguage('en-US'), forAll(['dark', 'light']), noWider)))

  test('English, at a desk, and Chinese, on a phone: nothing in another language', async () => {
    await every({ locale: 'en-US', viewport: desk }, both(ofLanguage('en-US'), noWider))
    await every({ locale: 'zh-CN', viewport: phone }, both(ofLanguage('zh-CN'), noWider))
  })

  test('at 200 % the same page of 1280 × 800 has no barrier and loses nothing', () =>
    every({ locale: 'en-US', viewport: { width: 640, height: 400 }, zoom: 2 }, both(forAll(['light']), noWider)))
})
