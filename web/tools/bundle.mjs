// Copies the official client bundle beside the app: the server offers it at /socket.io/ to every other page.
import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const from = fileURLToPath(new URL('../node_modules/socket.io-client/dist/', import.meta.url))
const to = fileURLToPath(new URL('../dist/socket.io/', import.meta.url))

rmSync(to, { recursive: true, force: true })
mkdirSync(to, { recursive: true })
for (const name of readdirSync(from)) cpSync(from + name, to + name)
