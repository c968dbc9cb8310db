import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { faults, launch } from './browser.mjs'
import { missing } from './needs.mjs'
import { tour } from './tour.mjs'

/** Tests of which each is a tour through all screens, with looks at every one of them. */
export function screens(name, tests) {
  describe(name, { skip: missing(), timeout: 600_000 }, () => {
    let browser
    before(async () => (browser = await launch()))
    after(() => browser?.close())

    tests((title, how, ...looks) => test(title, async () => {
      const found = []
      let seen = 0
      const see = async (screen, page) => {
        seen++
        for (const look of looks) for (const problem of await look(page)) found.push(`${screen}: ${problem}`)
      }
      const complaints = await tour(browser, { ...how, see }).catch((err) => found.push('then the tour ended: ' + err.stack) && [])
      assert.deepEqual(found, [])
      assert.deepEqual(faults(complaints), [], 'the console is quiet')
      assert.ok(seen > 85, `${seen} screens`)
    }))
  })
}
