import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { io } from 'socket.io-client'
import { binary } from './needs.mjs'

/** A server of its own, on a free port, with data that go when it goes. */
export class Server {
  static async start(flags = () => [], environment = {}) {
    const server = new Server()
    server.environment = environment
    server.port = await freePort()
    server.flags = flags(server.port)
    server.sockets = new Set() // of those who talk without a browser
    server.data = mkdtempSync(join(tmpdir(), 'qun-e2e-'))
    await server.up()
    return server
  }

  get url() {
    return `http://127.0.0.1:${this.port}`
  }

  async up() {
    const lifted = ['--previews', this.flags.includes('--preview-network') ? 'on' : 'off', '--limit-messages', '0', '--limit-handshakes', '0', '--limit-sockets', '0', '--limit-requests', '0']
    this.process = spawn(binary, ['serve', '--listen', `127.0.0.1:${this.port}`, '--data', this.data, ...lifted, ...this.flags], {
      stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...this.environment },
    })
    this.output = ''
    this.process.once('error', (err) => (this.output += err.message))
    for (const stream of [this.process.stdout, this.process.stderr]) stream.on('data', (text) => (this.output += text))
    for (let tries = 0; tries < 200; tries++) {
      if (this.process.exitCode !== null || this.process.pid === undefined) throw new Error('the server ended: ' + this.output)
      if (await fetch(this.url + '/healthz').then((answer) => answer.ok, () => false)) return
      await sleep(50)
    }
    throw new Error('the server did not come up: ' + this.output)
  }

  async down() {
    if (this.process.exitCode !== null) return
    const ended = once(this.process, 'exit')
    this.process.kill('SIGTERM')
    await ended
  }

  /** Comes up again as if it had never been: other data, other keys. */
  async begin() {
    await this.down()
    rmSync(this.data, { recursive: true, force: true })
    await this.up()
  }

  async stop() {
    for (const socket of this.sockets) socket.disconnect()
    await this.down()
    rmSync(this.data, { recursive: true, force: true })
  }

  /** Somebody who talks without a browser: a plain client. */
  async talker(nickName, roomName) {
    const socket = this.#socket()
    const joined = await socket.emitWithAck('joinRoom', { roomName, nickName })
    if (!joined.ok) throw new Error(JSON.stringify(joined))
    return {
      say: async (message) => {
        const answer = await socket.emitWithAck('sendMessage', { room: roomName, nickName, message })
        if (!answer.ok) throw new Error(JSON.stringify(answer))
        return answer.message
      },
      leave: () => socket.disconnect(),
    }
  }

  /** Somebody who can do everything that is done over the socket, without a browser: a guest in a room. */
  async hand(nickName, roomName) {
    const hand = this.#hand()
    hand.enter = (name) => hand.try('joinRoom', { roomName: name, nickName })
    hand.again = async () => {
      await hand.try('hello', { protocol: 1 })
      const joined = await hand.enter(roomName)
      if (!joined.ok) throw new Error(JSON.stringify(joined))
      if (joined.token) hand.credentials.token = joined.token
      return joined.group.groupId
    }
    return Object.assign(hand, acts(hand, await hand.again()))
  }

  /** A new member, likewise; .into(room) enters a room and gives what can be done there. */
  async member(username, nickName, password = 'a long secret') {
    const made = await fetch(this.url + '/api/v1/users', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ username, nickName, password, token: true }) })
    const { token, ...other } = await made.json()
    if (!token) throw new Error(JSON.stringify(other))
    const hand = this.#hand()
    hand.credentials.token = token
    hand.again = () => hand.ask('hello', { protocol: 1 })
    hand.into = async (roomName) => acts(hand, (await hand.ask('joinRoom', { roomName })).group.groupId)
    await hand.again()
    return hand
  }

  #socket(options) {
    const socket = io(this.url, { transports: ['websocket'], forceNew: true, ...options })
    this.sockets.add(socket)
    return socket
  }

  #hand() {
    const credentials = {}
    const socket = this.#socket({ auth: credentials, reconnectionDelay: 100, reconnectionDelayMax: 300 })
    const hand = {
      credentials,
      try: (event, payload) => socket.timeout(10_000).emitWithAck(event, payload),
      /** Asks until there is an answer, over restarts too. */
      ask: async (event, payload) => {
        for (let tries = 0; ; tries++) {
          const answer = await hand.try(event, payload).catch(() => undefined)
          if (answer?.ok) return answer
          if ((answer && answer.error.code !== 'NOT_IN_ROOM') || tries > 5) throw new Error(`${event}: ${JSON.stringify(answer)}`)
          if (answer) await hand.again()
        }
      },
      leave: () => socket.disconnect(),
    }
    return hand
  }
}

/** What a hand does in one group. */
const acts = (hand, groupId) => ({
  groupId,
  say: async (message, more) => (await hand.ask('sendMessage', { groupId, message, clientId: crypto.randomUUID(), ...more })).message,
  edit: (seq, message) => hand.ask('editMessage', { groupId, seq, message }),
  recall: (seq) => hand.ask('recallMessage', { groupId, seq }),
  react: (seq, emoji, on = true) => hand.ask('react', { groupId, seq, emoji, on }),
})

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  await once(probe, 'close')
  return port
}
