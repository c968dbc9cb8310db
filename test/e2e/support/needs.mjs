import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const binary = process.env.QUN_BIN ?? fileURLToPath(new URL('../../../bin/qun', import.meta.url))
export const chromium = process.env.CHROMIUM ?? '/usr/bin/chromium'

/** Why these tests cannot run here, or false. With QUN_REQUIRE_ALL=1 nothing is skipped: what is missing fails. */
export function missing() {
  const lacks = [
    [binary, 'the server (make build, or QUN_BIN)'],
    [chromium, 'Chromium (apt-get install chromium, or CHROMIUM)'],
  ].find(([path]) => !existsSync(path))
  if (!lacks || process.env.QUN_REQUIRE_ALL === '1') return false
  return `${lacks[1]} is not at ${lacks[0]}`
}
