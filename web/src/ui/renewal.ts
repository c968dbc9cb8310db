/**
 * A page that stood open while the server was replaced by another version does not find the parts that it has not
 * fetched yet. It begins anew then, where it is; what is typed and what waits to be sent are kept.
 */
export function startRenewal(): void {
  addEventListener('vite:preloadError', () => void renew())
}

const entry = new URL(import.meta.url).pathname

async function renew(): Promise<void> {
  const page = await fetch('/', { cache: 'no-store' }).then((answer) => (answer.ok ? answer.text() : ''), () => '')
  if (page && !page.includes(entry)) location.reload()
}
