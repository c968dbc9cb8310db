import { readFileSync } from 'node:fs'
import { dress } from './browser.mjs'
import { talk } from './talk.mjs'

// What is looked at on every screen of a tour. A look takes a page and gives the problems it sees.

const axe = readFileSync(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8')

/**
 * What axe holds to be serious or critical in these colours. All but the first are only a matter of contrast, and each
 * screen begins with those that the last one ended with.
 */
export const barriers = (...schemes) => async (page) => {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe)
  const problems = []
  for (const scheme of schemes) {
    await dress(page, scheme)
    const found = await page.evaluate(async (contrast) => {
      const { violations } = await window.axe.run(document, { resultTypes: ['violations'], ...(contrast && { runOnly: { type: 'rule', values: ['color-contrast'] } }) })
      return violations.filter((v) => ['serious', 'critical'].includes(v.impact))
        .map((v) => `${v.id}: ` + v.nodes.slice(0, 3).map((n) => `${n.target.join(' ')} ${n.any[0]?.message ?? ''}`).join(' | '))
    }, scheme !== schemes[0])
    problems.push(...found.map((what) => `${scheme}, ${what}`))
  }
  schemes.reverse()
  return problems
}

/** All words that a reader or a screen reader gets; code is nobody's language. */
const words = (page) => page.evaluate(() => {
  const labels = [...document.querySelectorAll('[aria-label], [title], [placeholder], [alt]')].filter((e) => !e.closest('.emoji-grid')).flatMap((e) => ['aria-label', 'title', 'placeholder', 'alt'].map((a) => e.getAttribute(a) ?? ''))
  const choices = [...document.querySelectorAll('option')].map((o) => o.textContent)
  const code = new Set([...document.querySelectorAll('code')].flatMap((c) => c.innerText.split('\n')).map((line) => line.trim()))
  return [document.title, document.body.innerText, ...labels, ...choices].join('\n').split('\n').map((line) => line.trim()).filter((line) => line && !code.has(line))
})

// What stands in the pages that is nobody's language: names of programs, addresses, keys, and the other language's own name.
const names = [...Object.values(talk['zh-CN'].members), 'ruler', 'tomo', 'migrate --to'].join('|')
const allowed = {
  'zh-CN': new RegExp(String.raw`https?://\S+|127\.0\.0\.1|localhost|--[a-z]+(-[a-z]+)*|@\w+|^\S+(?= · 已运行)|English|Qun|[Ww]ren|https?|sql|update epoch set frozen = true;|call migrate_down\('0009_rev'\);|\.png|\.md|\.txt|Ctrl|Alt|Shift|Enter|Esc|Tab|Home|End|[kM]B|Chrom\w+|Linux|TA|[Ww]ebhook|Node|Python|curl|URL|${names}`, 'g'),
  'en-US': /中文/g,
}
const foreign = { 'zh-CN': /[A-Za-z]{2,}/, 'en-US': /\p{Script=Han}/u }

export const language = (locale) => async (page) => (await words(page))
  .filter((line) => foreign[locale].test(line.replace(allowed[locale], '')) || /undefined|\[object|NaN|\$\{/.test(line)).map((line) => 'in the other language, or missing: ' + line)

export const overflow = (page) => page.evaluate(() => {
  const panes = [document.documentElement, ...document.querySelectorAll('.timeline, .info-body, .dialog-body, .conversations, .menu, .admin-main')]
  return panes.filter((p) => p.scrollWidth > p.clientWidth + 1).map((p) => {
    const edge = p.getBoundingClientRect().left + p.clientWidth
    const over = [...p.querySelectorAll('*')].filter((e) => e.getBoundingClientRect().right > edge + 1).map((e) => `${e.tagName}.${e.getAttribute('class')} by ${Math.round(e.getBoundingClientRect().right - edge)} px`)
    return `wider than its place: ${p.className || p.tagName}: ${over.slice(0, 4).join(', ')}`
  })
})
