const urls = new WeakMap<Blob, string>()

/** An address for bytes that are only here; the same for the same bytes, as long as the page lives. */
export function urlOf(blob: Blob): string {
  let url = urls.get(blob)
  if (!url) urls.set(blob, (url = URL.createObjectURL(blob)))
  return url
}
