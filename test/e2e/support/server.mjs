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
  static async start(flags = () => []) {
    const server = new Server()
    server.port = await freePort()
    server.flags = flags(server.port)
    server.data = mkdtempSync(join(tmpdir(), 'qun-e2e-'))
    await server.up()
    return server
  }

  get url() {
    return `http://127.0.0.1:${this.port}`
  }

  async up() {
    const lifted = ['--previews', this.flags.includes('--preview-network') ? 'on' : 'off', '--limit-messages', '0', '--limit-handshakes', '0', '--limit-sockets', '0', '--limit-requests', '0']
    this.process = spawn(binary, ['serve', '--listen', `127.0.0.1:${this.port}`, '--data', this.data, ...lifted, ...this.flags], { stdio: ['ignore', 'pipe', 'pipe'] })
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
    await this.down()
    rmSync(this.data, { recursive: true, force: true })
  }

  /** Somebody who talks without a browser: a plain client. */
  async talker(nickName, roomName) {
    const socket = io(this.url, { transports: ['websocket'], forceNew: true })
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
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  await once(probe, 'close')
  return port
}
