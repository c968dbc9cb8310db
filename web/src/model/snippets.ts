// The first lines of a program that talks in a group, to be copied and run as they are.

export type Language = 'browser' | 'node' | 'python' | 'curl'

export interface Connection {
  /** Where the server is, scheme and host. */
  server: string
  groupId: string
  /** The address by which guests walk in, if they may. */
  room?: string | undefined
  /** What the program is called, where it walks in as a guest. */
  name: string
  /** A bot's, which is in the group; with it the program is that bot. */
  token?: string | undefined
  /** Where an incoming webhook of the group takes messages, below the server. */
  hook?: string | undefined
  /** What it says first. */
  greeting: string
}

/** The lines for a language; undefined where they need a token or a webhook that is not there. */
export function snippet(language: Language, c: Connection): string | undefined {
  if (language === 'curl') return curl(c)
  if (c.token === undefined && c.room === undefined) return undefined
  switch (language) {
    case 'browser': return page(c)
    case 'node': return node(c)
    default: return python(c)
  }
}

/** What names the group: a bot knows its id, a guest the room's name. */
function words(c: Connection): { enter: Record<string, string>; say: Record<string, string>; auth: string | undefined } {
  if (c.token !== undefined) return { enter: { groupId: c.groupId }, say: { groupId: c.groupId, message: c.greeting }, auth: c.token }
  return { enter: { roomName: c.room!, nickName: c.name }, say: { room: c.room!, message: c.greeting }, auth: undefined }
}

function page(c: Connection): string {
  return `<!doctype html>
<meta charset="utf-8">
<title>Hello</title>
<script src="${c.server}/socket.io/socket.io.min.js"></script>
<script>
${script(c, '  ')}
</script>
`
}

function node(c: Connection): string {
  return `// npm install socket.io-client
import { io } from "socket.io-client";

${script(c, '')}
`
}

function script(c: Connection, indent: string): string {
  const { enter, say, auth } = words(c)
  const lines = [
    `const socket = io(${text(c.server)}${auth === undefined ? '' : `, { auth: { token: ${text(auth)} } }`});`,
    '',
    'socket.on("connect", async () => {',
    `  const entered = await socket.emitWithAck("joinRoom", ${object(enter)});`,
    '  if (!entered.ok) throw new Error(entered.error.message);',
    `  socket.emit("sendMessage", ${object(say)});`,
    '});',
    'socket.on("message", (m) => console.log(`${m.nickName}: ${m.message}`));',
    'socket.on("connect_error", (err) => console.error(err.message));',
  ]
  return lines.map((line) => (line ? indent + line : line)).join('\n')
}

function python(c: Connection): string {
  const { enter, say, auth } = words(c)
  return `# pip install "python-socketio[client]"
import socketio

client = socketio.Client()

@client.event
def connect():
    entered = client.call("joinRoom", ${dict(enter)})
    if not entered["ok"]:
        raise RuntimeError(entered["error"]["message"])
    client.emit("sendMessage", ${dict(say)})

@client.event
def message(m):
    print(m["nickName"] + ": " + m["message"], flush=True)

client.connect(${text(c.server)}${auth === undefined ? '' : `, auth={"token": ${text(auth)}}`})
client.wait()
`
}

function curl(c: Connection): string | undefined {
  const body = quoted(JSON.stringify({ message: c.greeting }))
  if (c.hook !== undefined) {
    return `curl -H 'Content-Type: application/json' \\
  -d ${body} \\
  ${quoted(c.server + c.hook)}
`
  }
  if (c.token === undefined) return undefined
  return `curl -H ${quoted('Authorization: Bearer ' + c.token)} \\
  -H 'Content-Type: application/json' \\
  -d ${body} \\
  ${quoted(`${c.server}/api/v1/groups/${c.groupId}/messages`)}
`
}

/** A text of JavaScript and of Python, which no page takes for its own end. */
function text(s: string): string {
  return JSON.stringify(s).replace(/[<\u2028\u2029]/g, (c) => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'))
}

function object(fields: Record<string, string>): string {
  return '{ ' + Object.entries(fields).map(([key, value]) => `${key}: ${text(value)}`).join(', ') + ' }'
}

function dict(fields: Record<string, string>): string {
  return '{' + Object.entries(fields).map(([key, value]) => `"${key}": ${text(value)}`).join(', ') + '}'
}

/** A word of the shell. */
function quoted(s: string): string {
  return `'${s.replace(/'/g, `'\\''`)}'`
}
