import { readdirSync } from 'node:fs'
import process from 'node:process'
import { run } from 'node:test'
import { spec, tap } from 'node:test/reporters'

// All suites, several at a time, and then, alone, the one that measures. Those that take longest begin, so that at the end no
// core waits for a tour that came late.

const longest = ['screens.desk', 'screens.phone', 'bounds', 'app', 'outage', 'screens.zoom', 'admin', 'people', 'hostile', 'acts', 'programs']
const measuring = 'budgets'

const all = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.test.mjs')).map((file) => file.slice(0, -'.test.mjs'.length))
const suites = [...longest, ...all.filter((name) => !longest.includes(name) && name !== measuring)]

/** Runs these suites and says what became of them, to tools as they read it. */
async function runs(names, concurrency) {
  const told = run({ files: names.map((name) => `${import.meta.dirname}/${name}.test.mjs`), concurrency })
  told.on('test:fail', () => (process.exitCode = 1))
  for await (const words of told.compose(process.stdout.isTTY ? new spec() : tap)) process.stdout.write(words)
}

await runs(suites, 2)
await runs([measuring], 1)
