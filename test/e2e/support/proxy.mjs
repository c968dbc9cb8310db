import { once } from 'node:events'
import { createServer, request } from 'node:http'
import { connect } from 'node:net'

/** Stands between browser and server. Cut, it lets pages and their files through and nothing that is alive. */
export class Proxy {
  static async before(server) {
    const proxy = new Proxy()
    proxy.target = server
    proxy.alive = new Set()
    proxy.isCut = false
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
    this.isCut = true
    for (const socket of this.alive) socket.destroy()
  }

  /** What is connected stays so, and carries nothing any more; what connects from now on works. */
  freeze() {
    for (const socket of this.alive) socket.unpipe().pause()
  }

  mend() {
    this.isCut = false
  }

  stop() {
    this.cut()
    this.http.closeAllConnections()
    this.http.close()
  }

  pass(asked, answer) {
    const live = /^\/(socket\.io\/\?|api\/)/.test(asked.url)
    if (live && this.isCut) return asked.socket.destroy()
    if (live) this.keep(asked.socket)
    const onward = request({ host: '127.0.0.1', port: this.target.port, method: asked.method, path: asked.url, headers: asked.headers })
    onward.on('response', (got) => {
      answer.writeHead(got.statusCode, got.headers)
      got.pipe(answer)
    })
    onward.on('error', () => asked.socket.destroy())
    asked.pipe(onward)
  }

  join(asked, socket, head) {
    if (this.isCut) return socket.destroy()
    const onward = connect(this.target.port, '127.0.0.1', () => {
      const headers = asked.rawHeaders.reduce((text, part, i) => text + part + (i % 2 ? '\r\n' : ': '), '')
      onward.write(`${asked.method} ${asked.url} HTTP/1.1\r\n${headers}\r\n`)
      onward.write(head)
      socket.pipe(onward).pipe(socket)
    })
    for (const end of [socket, onward]) {
      this.keep(end)
      end.on('error', () => undefined)
      end.on('close', () => (end === socket ? onward : socket).destroy())
    }
  }

  keep(socket) {
    this.alive.add(socket)
    socket.once('close', () => this.alive.delete(socket))
  }
}
