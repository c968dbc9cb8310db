import { defineAsyncComponent, type AsyncComponentLoader, type Component } from 'vue'

// Parts of the app that are fetched when they are first shown, or when the page has had time to: without a network,
// or when the server was replaced meanwhile, they are there then.

const pause = 2000 // ms between two tries
const mostTries = 30
const parts: AsyncComponentLoader[] = []

export function later<T extends Component>(load: AsyncComponentLoader<T>): T {
  parts.push(load)
  return defineAsyncComponent({ loader: load, onError: (_, retry, fail, tries) => void (tries < mostTries ? setTimeout(retry, pause) : fail()) })
}

/** Fetches what was not shown yet, one after the other; parts of parts come to the list with them. */
export async function fetchParts(): Promise<void> {
  for (const load of parts) await load().catch(() => undefined)
}
