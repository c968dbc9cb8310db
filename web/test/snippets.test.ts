/// <reference types="node" />
import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { snippet, type Connection } from '../src/model/snippets'

const hostile = `it's "</script>" \\ $(x) \`y\` 大厅 🚂\u2028`
const guest: Connection = { server: 'http://h:1', groupId: 'g1', room: hostile, name: hostile, greeting: hostile }
const bot: Connection = { ...guest, room: undefined, token: 'tok' }

describe('snippets', () => {
  it('walk into an open room by name, and speak as a bot elsewhere', () => {
    for (const language of ['browser', 'node', 'python'] as const) {
      expect(snippet(language, guest)).toContain('roomName')
      expect(snippet(language, bot)).toMatch(/"?token"?: "tok"/)
      expect(snippet(language, bot)).not.toContain('roomName')
      expect(snippet(language, { ...bot, token: undefined })).toBeUndefined()
    }
  })

  it('for curl need a token or a webhook', () => {
    expect(snippet('curl', guest)).toBeUndefined()
    expect(snippet('curl', bot)).toContain("'http://h:1/api/v1/groups/g1/messages'")
    expect(snippet('curl', { ...bot, hook: '/api/v1/hooks/w/s' })).toContain("'http://h:1/api/v1/hooks/w/s'")
  })

  it('carry any name as it is, and nothing of it is run', () => {
    const page = snippet('browser', guest)!
    expect(page.match(/<\/script>/g)?.length).toBe(2)
    const emitted: unknown[] = []
    const socket = { on: (event: string, act: () => Promise<void>) => event === 'connect' && void act(), emitWithAck: async (...all: unknown[]) => (emitted.push(all), { ok: true }), emit: (...all: unknown[]) => emitted.push(all) }
    const code = /<script>([^]*)<\/script>/.exec(page)![1]!
    new Function('io', code)(() => socket)
    return Promise.resolve().then(() => Promise.resolve()).then(() => {
      expect(emitted[0]).toEqual(['joinRoom', { roomName: hostile, nickName: hostile }])
    })
  })

  it('for the shell are words of the shell', () => {
    const line = snippet('curl', { ...bot, hook: "/api/v1/hooks/w/s'x" })!
    const words = execFileSync('sh', ['-c', `set -- ${line.replace(/^curl/, '')}\nfor w; do printf '%s\\0' "$w"; done`]).toString().split('\0').slice(0, -1)
    expect(words).toEqual(['-H', 'Content-Type: application/json', '-d', JSON.stringify({ message: hostile }), "http://h:1/api/v1/hooks/w/s'x"])
  })
})
