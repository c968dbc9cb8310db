// The peer's job on Node's socket.io, as its documentation shows it: defaults everywhere.
import { createServer } from 'node:http'
import { Server } from 'socket.io'

// With the address of a Redis, it is one of several, by the adapter as its documentation shows it.
const [where, redis] = process.argv.slice(2)
const [host, port] = where.split(':')
const http = createServer()
const io = new Server(http, redis ? { adapter: await adapterOn(redis) } : {})

async function adapterOn(url) {
  const [{ createAdapter }, { createClient }] = await Promise.all([import('@socket.io/redis-adapter'), import('redis')])
  const publisher = createClient({ url })
  const subscriber = publisher.duplicate()
  await Promise.all([publisher.connect(), subscriber.connect()])
  return createAdapter(publisher, subscriber)
}

io.on('connection', (socket) => {
  socket.on('joinRoom', ({ roomName }, done) => {
    socket.join(roomName)
    done?.()
  })
  socket.on('sendMessage', ({ room, nickName, message }) => {
    io.to(room).emit('message', { nickName, message })
  })
  socket.on('echo', (body, done) => done(body))
})

http.listen({ host, port: Number(port), backlog: 4096 })
