/**
 * A page that stood open while the server was replaced by another version does not find the parts that it has not
 * fetched yet. It begins anew then, where it is; what is typed and what waits to be sent are kept. A page that is young
 * waits: while nodes of two versions answer in turn, it would begin anew again and again.
 */
export function startRenewal(): void {
  addEventListener('vite:preloadError', () => void renew())
}

const youth = 10_000 // ms
const entry = new URL(import.meta.url).pathname

async function renew(): Promise<void> {
  if (performance.now() < youth) return // who misses a part asks for it again
  const page = await fetch('/', { cache: 'no-store' }).then((answer) => (answer.ok ? answer.text() : ''), () => '')
  if (page && !page.includes(entry)) location.reload()
}
