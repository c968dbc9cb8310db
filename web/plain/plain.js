// The smallest client of a room: two events out, one event in. Copy it; any Socket.IO client 4.3.2 or later will do.
const socket = io()
const field = (id) => document.getElementById(id)

let joined // what to join again after the connection was lost

const join = () => socket.emit('joinRoom', joined)

field('join').addEventListener('submit', (event) => {
  event.preventDefault()
  joined = { roomName: field('roomName').value, nickName: field('nickName').value }
  join()
})

field('send').addEventListener('submit', (event) => {
  event.preventDefault()
  socket.emit('sendMessage', { room: field('roomName').value, nickName: field('nickName').value, message: field('message').value })
  field('message').value = ''
})

socket.on('message', ({ nickName, message }) => {
  const line = document.createElement('li')
  line.textContent = `${nickName}：${message}`
  field('messages').append(line)
  line.scrollIntoView({ block: 'nearest' })
})

socket.on('connect', () => {
  field('state').textContent = '已连接 Connected'
  if (joined) join()
})

socket.on('disconnect', () => {
  field('state').textContent = '连接断了，正在重连 Connection lost, reconnecting'
})
