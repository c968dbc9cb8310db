import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe } from 'node:test'
import { faults, launch, person } from './browser.mjs'
import { missing } from './needs.mjs'
import { Proxy } from './proxy.mjs'
import { Server } from './server.mjs'

const skip = missing()
if (skip) console.log('skipped: ' + skip)

/**
 * A set of tests against one server in one browser. Each test has a proxy of its own before the server, and people of its
 * own; rooms are not shared. What a console complains about fails the test.
 */
export function suite(name, tests, options = {}) {
  describe(name, { skip, timeout: 300_000 }, () => {
    const house = { rooms: 0, people: [] }

    before(async () => {
      house.launched = launch(options.browser)
      house.server = await Server.start(options.server, options.environment?.())
      house.browser = await house.launched
    })
    after(async () => {
      await (await house.launched)?.close()
      await house.server?.stop()
    })
    beforeEach(async () => {
      house.proxy = await Proxy.before(house.server)
      house.people = []
    })
    afterEach(async () => {
      const complaints = house.people.flatMap((p) => p.complaints)
      await Promise.all(house.people.map((p) => p.close()))
      house.proxy.stop()
      assert.deepEqual(faults(complaints), [], 'the console is quiet')
    })

    house.someone = async (how) => {
      const p = await person(house.browser, how)
      house.people.push(p)
      return p
    }
    house.newRoom = () => `${name} ${++house.rooms}`
    tests(house)
  })
}
