// Says how much JavaScript and CSS the first screen loads, and fails above the budget.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const budget = 110_000 // bytes of entry JavaScript, gzip

const root = fileURLToPath(new URL('../dist/app/', import.meta.url))
const page = readFileSync(root + 'index.html', 'utf8')
const named = (pattern) => [...page.matchAll(pattern)].map((m) => m[1])
const weigh = (names) => names.reduce((sum, name) => sum + gzipSync(readFileSync(root + name), { level: 9 }).length, 0)

const scripts = weigh(named(/(?:src|href)="\/([^"]+\.js)"/g))
const styles = weigh(named(/href="\/([^"]+\.css)"/g))
const kB = (bytes) => (bytes / 1000).toFixed(1) + ' kB'
console.log(`entry: JavaScript ${kB(scripts)} gzip (budget ${kB(budget)}), CSS ${kB(styles)} gzip`)
if (scripts === 0 || scripts > budget) {
  console.error('the entry JavaScript is over its budget: load what is rare lazily')
  process.exit(1)
}
