import { chromium as playwright } from 'playwright-core'
import { chromium } from './needs.mjs'

// In the place of Playwright's own list: what turns to the network by itself, what holds a page back, and the two pages that
// Chromium draws its address bar's list with, which cost as much as the page beside them.
const without = [
  'AimEnabled', 'AvoidUnnecessaryBeforeUnloadCheckSync', 'DestroyProfileOnBrowserClose', 'HttpsFirstBalancedModeAutoEnable', 'HttpsUpgrades', 'LensOverlay', 'MediaRouter',
  'NetworkTimeServiceQuerying', 'OptimizationHints', 'PaintHolding', 'PreconnectToSearch', 'ThirdPartyStoragePartitioning', 'WebUIOmniboxAimPopup', 'WebUIOmniboxPopup',
]

export const launch = (more = []) => playwright.launch({
  executablePath: chromium,
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--force-color-profile=srgb', '--disable-features=' + without.join(), ...more],
})

export const desk = { width: 1280, height: 800 }
export const phone = { width: 390, height: 844 }

/**
 * A browser of its own for one person. What its console complains about is collected in .complaints, and with it what no
 * page of ours may do: open a dialog, break the content policy, ask another origin. Who is elsewhere looks at another's page,
 * which may ask ours.
 */
export async function person(browser, { locale = 'zh-CN', viewport = desk, colorScheme = 'light', scale = 1, reducedMotion, elsewhere = false } = {}) {
  const context = await browser.newContext({
    locale, viewport, colorScheme, reducedMotion, deviceScaleFactor: scale, timezoneId: 'Asia/Shanghai', hasTouch: viewport.width < 640,
  })
  const complaints = []
  await context.addInitScript(() => {
    addEventListener('securitypolicyviolation', (e) => console.error('CSP: ' + e.violatedDirective + ' ' + e.blockedURI))
  })
  const watch = (page) => {
    const own = (url) => !/^(https?|wss?):/.test(url) || new URL(url).host === new URL(page.url()).host || (page.url() === 'about:blank' && /^(127\.0\.0\.1|lan\.test):/.test(new URL(url).host))
    const ask = (url, leads) => elsewhere || leads || own(url) || complaints.push('off origin: ' + url)
    page.on('console', (m) => ['error', 'warning'].includes(m.type()) && complaints.push(m.text()))
    page.on('pageerror', (e) => complaints.push(String(e)))
    page.on('dialog', (d) => (complaints.push('dialog ' + d.message()), d.dismiss()))
    page.on('request', (r) => ask(r.url(), r.isNavigationRequest() && r.frame() === page.mainFrame() && /^(127\.0\.0\.1|lan\.test)$/.test(new URL(r.url()).hostname)))
    page.on('websocket', (w) => ask(w.url(), false))
  }
  context.on('page', watch)
  context.setDefaultTimeout(10_000)
  return { context, complaints, tab: () => context.newPage(), close: () => context.close() }
}

/** Complaints that are not the network's: a cut connection, a refused password and a name that is taken are reported by the browser itself. */
export const faults = (complaints) => complaints.filter((c) => !/status of 40[139]|WebSocket connection|ERR_CONNECTION|ERR_EMPTY_RESPONSE|ERR_SOCKET|Failed to load resource: net::/.test(c))

export const at = (page, id) => page.getByTestId(id)

/** From the first screen into a room. */
export async function join(page, url, nickName, room) {
  await page.goto(url)
  await at(page, 'nickname').fill(nickName)
  if (room !== undefined) await at(page, 'room').fill(room)
  await at(page, 'join').click()
  await at(page, 'composer').waitFor()
}

/** A member of the server in a tab of its own. */
export async function register(page, url, username, nickName) {
  await page.goto(url + '/account')
  await at(page, 'to-register').click()
  await at(page, 'username').fill(username)
  await at(page, 'nickname').fill(nickName)
  await at(page, 'password').fill('a long secret of ' + username)
  await at(page, 'submit').click()
  await page.locator('.me-bar, .tabs').first().waitFor()
}

/** A group of one's own, by the switcher. */
export async function makeGroup(page, name, visibility = 'private') {
  await at(page, 'find').click()
  await page.locator('#to-make').click()
  await at(page, 'new-name').fill(name)
  await at(page, 'new-visibility').selectOption(visibility)
  await at(page, 'new-make').click()
  await until(() => page.locator('.top h1').textContent(), (h) => h === name, name)
}

/** From anywhere into a room, by the switcher: one of mine, or one to walk into. */
export async function visit(page, room) {
  await at(page, 'find').click()
  await at(page, 'switcher-field').fill(room)
  const mine = page.locator('[data-testid=switcher-option]').filter({ hasText: new RegExp(`^(.)?${escaped(room)}\\d*$`) })
  const walk = page.locator('#to-walk')
  await mine.or(walk).first().waitFor()
  await ((await walk.count()) > 0 ? walk : mine.first()).click()
  await until(() => page.locator('.top h1').textContent(), (h) => h === room, room)
}

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

export async function say(page, text) {
  await at(page, 'composer').fill(text)
  await at(page, 'composer').press('Enter')
}

/** Notes from now on what the connection banner tells, and in window.bannersAt since when; gives a look at the notes. */
export async function banners(page) {
  await page.evaluate(() => {
    window.banners = []
    window.bannersAt = []
    new MutationObserver(() => {
      const banner = document.querySelector('[data-testid=connection]')
      if (!banner || window.banners.at(-1) === banner.textContent.trim()) return
      window.banners.push(banner.textContent.trim())
      window.bannersAt.push(performance.now())
    }).observe(document.body, { subtree: true, childList: true, characterData: true })
  })
  return () => page.evaluate(() => window.banners)
}

/** From now on pages of this browser keep their connections in window.sockets, and in .endedAt when each ended. */
export const noteSockets = (context) => context.addInitScript(() => {
  window.sockets = []
  window.WebSocket = class extends WebSocket {
    constructor(...how) {
      super(...how)
      window.sockets.push(this)
      this.addEventListener('close', () => (this.endedAt = performance.now()))
    }
  }
})

/** Presses "retry now", unless the connection has come back by itself meanwhile. */
export const retryNow = (page) => page.locator('[data-testid=connection][data-state=lost] button').click({ timeout: 500 }).catch(() => undefined)

/** Shows the page in these colours, as if the system had changed to them, and waits until they are there. */
export async function dress(page, colorScheme) {
  await page.emulateMedia({ colorScheme })
  await page.evaluate(async (wanted) => {
    const frame = () => new Promise(requestAnimationFrame)
    const changing = () => document.documentElement.dataset.theme !== wanted || document.getAnimations().some((a) => a instanceof CSSTransition && a.playState !== 'finished')
    for (const end = performance.now() + 10_000; changing(); await frame()) if (performance.now() > end) throw new Error('the colours: still not ' + wanted)
    await frame()
    await frame()
    await new Promise((done) => setTimeout(done, 20))
  }, colorScheme)
}

/** Waits until what page.evaluate gives for look satisfies, and gives it. */
export async function until(look, satisfied, what, ms = 10_000) {
  let seen
  for (const end = Date.now() + ms; Date.now() < end; await new Promise((r) => setTimeout(r, 25))) {
    seen = await look()
    if (satisfied(seen)) return seen
  }
  throw new Error(`${what}: still ${JSON.stringify(seen)}`)
}

/** The messages in the page, from top to bottom. */
export const rows = (page) => page.evaluate(() =>
  [...document.querySelectorAll('[data-testid=message]')].map((row) => ({
    text: row.querySelector('.text')?.textContent ?? '',
    state: row.dataset.state,
    seq: row.dataset.seq === undefined ? undefined : Number(row.dataset.seq),
  })))

export const texts = async (page) => (await rows(page)).map((row) => row.text)
