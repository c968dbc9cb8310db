import { once } from 'node:events'
import { createServer, request } from 'node:http'
import { connect } from 'node:net'
import { Transform } from 'node:stream'

/**
 * Stands between browser and server, and makes outages of three sorts. Cut, connections end and none comes about. A hole
 * swallows: nothing ends, nothing is carried, who connects waits. And single pushes can be lost on an otherwise good way.
 * Pages and their files always pass.
 */
export class Proxy {
  static async before(server) {
    const proxy = new Proxy()
    proxy.target = server
    proxy.alive = new Set()
    proxy.state = 'open'
    proxy.loses = undefined
    proxy.lost = 0
    proxy.http = createServer((asked, answer) => proxy.pass(asked, answer))
    proxy.http.on('upgrade', (asked, socket, head) => proxy.join(asked, socket, head))
    proxy.http.listen(0, '127.0.0.1')
    await once(proxy.http, 'listening')
    return proxy
  }

  get url() {
    return `http://127.0.0.1:${this.http.address().port}`
  }

  cut() {
    this.state = 'cut'
    for (const socket of this.alive) socket.destroy()
  }

  /** What is connected stays so, and carries nothing any more; what connects from now on works. */
  freeze() {
    for (const socket of this.alive) socket.unpipe().pause()
  }

  /** What browsers say on connections that are there now arrives no more. They hear everything, but not that the server hung up. */
  deafen() {
    for (const socket of this.alive) {
      if (!socket.heard) continue
      socket.unpipe(socket.heard)
      socket.deaf = true
    }
  }

  /** What is connected carries nothing any more, and what connects is never answered. */
  swallow() {
    this.state = 'hole'
    this.freeze()
  }

  /** From now on things work; what waited at the hole ends. */
  mend() {
    this.state = 'open'
    for (const socket of this.alive) if (socket.waits) socket.destroy()
  }

  /** From now on, a WebSocket that begins a session is refused, as by a gateway whose server is not there yet; polling passes, and what it goes on to. */
  narrow() {
    this.narrowed = true
  }

  /** Loses the pushes to browsers that contain this text; answers pass. */
  lose(text) {
    this.loses = (frame) => /^.{2,10}42\[/s.test(frame) && frame.includes(text)
  }

  /** Loses the answers to browsers that contain this text. */
  loseAnswer(text) {
    this.loses = (frame) => /^.{2,10}43\d+\[/s.test(frame) && frame.includes(text)
  }

  stop() {
    this.cut()
    this.http.closeAllConnections()
    this.http.close()
  }

  /** Whether the connection is to be let through; one that is not is ended, or waits. */
  lets(socket) {
    if (this.state === 'open') return true
    if (this.state === 'cut') socket.destroy()
    else {
      socket.waits = true
      this.keep(socket)
    }
    return false
  }

  pass(asked, answer) {
    if (/^\/(socket\.io\/\?|api\/)/.test(asked.url)) {
      if (!this.lets(asked.socket)) return
      this.keep(asked.socket)
    }
    const onward = request({ host: '127.0.0.1', port: this.target.port, method: asked.method, path: asked.url, headers: asked.headers })
    onward.on('response', (got) => {
      answer.writeHead(got.statusCode, got.headers)
      got.pipe(answer)
    })
    onward.on('error', () => asked.socket.destroy())
    asked.pipe(onward)
  }

  join(asked, socket, head) {
    socket.on('error', () => undefined)
    if (this.narrowed && !asked.url.includes('sid=')) return socket.destroy()
    if (!this.lets(socket)) return
    const onward = connect({ port: this.target.port, host: '127.0.0.1', allowHalfOpen: true }, () => {
      const headers = asked.rawHeaders.reduce((text, part, i) => text + part + (i % 2 ? '\r\n' : ': '), '')
      onward.write(`${asked.method} ${asked.url} HTTP/1.1\r\n${headers}\r\n`)
      onward.write(head)
      socket.heard = onward
      socket.pipe(onward).pipe(frames((frame) => this.loses?.(frame) && ++this.lost)).pipe(socket, { end: false })
      onward.on('end', () => socket.deaf || socket.end())
    })
    onward.on('error', () => undefined)
    for (const end of [socket, onward]) {
      this.keep(end)
      end.on('close', () => this.state !== 'hole' && (end === socket ? onward : socket).destroy()) // a hole does not tell of an end, either
    }
  }

  keep(socket) {
    if (this.alive.has(socket)) return
    this.alive.add(socket)
    socket.once('close', () => this.alive.delete(socket))
  }
}

/** Passes an answer to an upgrade and then the server's frames, one by one; those that are to be lost are left out. */
function frames(lost) {
  let rest = Buffer.alloc(0)
  let upgraded = false
  return new Transform({
    transform(bytes, _, done) {
      rest = Buffer.concat([rest, bytes])
      if (!upgraded) {
        const end = rest.indexOf('\r\n\r\n')
        if (end < 0) return done()
        upgraded = true
        this.push(rest.subarray(0, end + 4))
        rest = rest.subarray(end + 4)
      }
      for (let size = sizeOf(rest); size <= rest.length; size = sizeOf(rest)) {
        const frame = rest.subarray(0, size)
        rest = rest.subarray(size)
        if (!lost(frame.toString())) this.push(frame)
      }
      done()
    },
  })
}

/** How many bytes the frame takes that begins here; more than there are while that cannot be said. */
function sizeOf(bytes) {
  if (bytes.length < 2) return Infinity
  const short = bytes[1] & 0x7f
  if (short < 126) return 2 + short
  if (short === 126) return bytes.length < 4 ? Infinity : 4 + bytes.readUInt16BE(2)
  return bytes.length < 10 ? Infinity : 10 + Number(bytes.readBigUInt64BE(2))
}
