import { forget, recall, remember, remembered } from './memory'
import type { UserId } from './protocol'
import type { Unsent } from './outbox'

/** Where unsent messages outlive the page. It never rejects: what cannot be kept is still sent. */
export interface OutboxStore {
  load(user: UserId): Promise<Unsent[]>
  put(unsent: Unsent): Promise<void>
  delete(clientId: string): Promise<void>
}

/** As long as the page lives. */
export class MemoryStore implements OutboxStore {
  private readonly kept = new Map<string, Unsent>()

  async load(user: UserId): Promise<Unsent[]> {
    return [...this.kept.values()].filter((u) => u.userId === user).map((u) => ({ ...u }))
  }

  async put(unsent: Unsent): Promise<void> {
    this.kept.set(unsent.clientId, { ...unsent })
  }

  async delete(clientId: string): Promise<void> {
    this.kept.delete(clientId)
  }
}

/**
 * In IndexedDB. Its writes take their time, so what is written also stands in a journal that is kept at once, until the
 * write is done: a page that is left in the same moment loses nothing. Where there is no IndexedDB, the journal is all.
 */
export class BrowserStore implements OutboxStore {
  private readonly database: Promise<IDBDatabase | undefined> = open()

  async load(user: UserId): Promise<Unsent[]> {
    const all = (await this.run<Unsent[]>('readonly', (store) => store.getAll())) ?? []
    const journal = remembered(journalKey('')).flatMap((key) => recall<Unsent>(key) ?? [])
    const known = new Set(journal.map((u) => u.clientId))
    return [...all.filter((u) => !known.has(u.clientId)), ...journal].filter((u) => u.userId === user)
  }

  async put(unsent: Unsent): Promise<void> {
    const key = journalKey(unsent.clientId)
    const { progress: _, ...plain } = unsent
    if (!plain.files?.some((f) => f.blob)) remember(key, plain) // the journal is text
    if (await this.run('readwrite', (store) => store.put(plain))) forget(key)
  }

  async delete(clientId: string): Promise<void> {
    forget(journalKey(clientId))
    await this.run('readwrite', (store) => store.delete(clientId))
    forget(journalKey(clientId)) // a put that was under way has ended before
  }

  private async run<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest): Promise<T | undefined> {
    const database = await this.database
    if (!database) return undefined
    return new Promise((resolve) => {
      try {
        const transaction = database.transaction('outbox', mode)
        const request = act(transaction.objectStore('outbox'))
        transaction.oncomplete = () => resolve((request.result ?? true) as T)
        transaction.onabort = () => resolve(undefined)
        transaction.onerror = () => resolve(undefined)
      } catch {
        resolve(undefined)
      }
    })
  }
}

const journalKey = (clientId: string) => 'unsent.' + clientId

function open(): Promise<IDBDatabase | undefined> {
  return new Promise((resolve) => {
    try {
      const request = indexedDB.open('qun', 1)
      request.onupgradeneeded = () => request.result.createObjectStore('outbox', { keyPath: 'clientId' })
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => resolve(undefined)
      request.onblocked = () => resolve(undefined)
    } catch {
      resolve(undefined)
    }
  })
}
