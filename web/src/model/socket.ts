import { WebSocket, XHR } from 'engine.io-client'
import { io, type Socket } from 'socket.io-client'
import { Refusal, type Code } from './protocol'
import type { Wire, WireEvents } from './wire'

interface Answer {
  ok: boolean
  error?: { code: Code; message?: string; retryAfter?: number; until?: string; suggestion?: string }
}

const pushes = ['message', 'change', 'heads', 'me', 'typing', 'presence', 'read']

/** A WebSocket that says nothing once it is closing: the server, which hung up, would not hear it, and the console would complain. */
class QuietWebSocket extends WebSocket {
  override doWrite(...said: Parameters<WebSocket['doWrite']>): void {
    if (this.ws.readyState === globalThis.WebSocket.OPEN) super.doWrite(...said)
  }
}

/** SocketWire is the wire over the official client: same origin, the session's cookie as credential. */
export class SocketWire implements Wire {
  events!: WireEvents
  private readonly socket: Socket

  constructor() {
    this.socket = io({
      autoConnect: false,
      // Where a proxy lets no WebSocket through, polling does. What failed is taken off the list, and named again so that polling
      // goes on to it: the server may only not have been there yet.
      transports: [QuietWebSocket, XHR, QuietWebSocket],
      tryAllTransports: true,
      reconnectionDelay: 500,
      reconnectionDelayMax: 5000,
      timeout: 8000,
    })
    this.socket.on('connect', () => this.events.connected())
    this.socket.on('disconnect', (reason) => {
      this.events.disconnected()
      if (reason === 'io server disconnect') this.socket.connect()
    })
    this.socket.on('connect_error', () => {
      // Active: another attempt follows by itself. Not active: the server answered, and refused.
      if (!this.socket.active) this.events.refused()
    })
    for (const event of pushes) this.socket.on(event, (payload: unknown) => this.events.push(event, payload))
  }

  get connected(): boolean {
    return this.socket.connected
  }

  open(): void {
    this.socket.connect()
  }

  close(): void {
    this.socket.disconnect()
  }

  retry(): void {
    this.socket.disconnect()
    this.socket.connect()
  }

  async request<T>(event: string, payload: object, timeout = 10_000): Promise<T> {
    if (!this.socket.connected) throw new Refusal('OFFLINE')
    let answer: Answer
    try {
      answer = (await this.socket.timeout(timeout).emitWithAck(event, payload)) as Answer
    } catch {
      throw new Refusal(this.socket.connected ? 'NO_ANSWER' : 'OFFLINE')
    }
    if (!answer?.ok) {
      const { code, message, ...more } = answer?.error ?? { code: 'INTERNAL' as const }
      throw new Refusal(code, message, more)
    }
    return answer as T
  }
}
