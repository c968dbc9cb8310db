// What a page tells the worker, which has no localStorage: kept as answers in a cache.

const cache = 'qun'
const at = '/worker/locale' // no address of the server: it is never fetched

export async function keepLocale(locale: string): Promise<void> {
  await (await caches.open(cache)).put(at, new Response(locale))
}

export async function keptLocale(): Promise<string | undefined> {
  return (await caches.match(at))?.text()
}
