/** What a wire tells its owner. */
export interface WireEvents {
  connected(): void
  disconnected(): void
  /** The server will not have us as we are; nothing is tried again by itself. */
  refused(): void
  push(event: string, payload: unknown): void
}

/** Wire is a connection that comes back by itself, seen from the model: requests with an answer, and pushes. */
export interface Wire {
  readonly connected: boolean
  /** Set once, before open. */
  events: WireEvents
  open(): void
  close(): void
  /** Drops what there is and connects at once, without waiting for the next attempt. */
  retry(): void
  /** Asks, and gives the answer's fields; rejects with a Refusal. Never waits for a connection: without one it is OFFLINE. */
  request<T>(event: string, payload: object, timeout?: number): Promise<T>
}

/** The part of a wire that a room needs. */
export interface Link {
  /** The server has greeted us on this connection: requests make sense. */
  readonly ready: boolean
  readonly epoch: string
  request<T>(event: string, payload: object, timeout?: number): Promise<T>
}
