// The peer's job on Node's socket.io, as its documentation shows it: defaults everywhere.
import { createServer } from 'node:http'
import { Server } from 'socket.io'

const [host, port] = process.argv[2].split(':')
const http = createServer()
const io = new Server(http)

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
