import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { missing } from './support/needs.mjs'
import { Server } from './support/server.mjs'

const web = fileURLToPath(new URL('../../web', import.meta.url))

// The app's own shapes name what it reads; the server's are made from its types. Both ways: what the server sends fits
// what the app takes it for, and the app takes no field for more than it is.
const check = `
import type * as Ours from '${web}/src/model/protocol'
import type * as Theirs from './client'

type Kept<T> = T extends Theirs.Message ? T & Required<Pick<Theirs.Message, 'groupId' | 'userId' | 'seq' | 'rev'>>
  : T extends (infer E)[] ? Kept<E>[] : T extends object ? { [K in keyof T]: Kept<T[K]> } : T
type Loose<T> = T extends (infer E)[] ? Loose<E>[] : T extends object ? { [K in keyof T]?: Loose<T[K]> | undefined } : T
type Agrees<Mine, Wire> = [Exclude<keyof Mine, keyof Wire>] extends [never]
  ? [Kept<Wire>] extends [Mine]
    ? [Mine] extends [Loose<Pick<Kept<Wire>, keyof Mine & keyof Wire>>] ? 'agreed' : 'the app takes it for more than it is'
    : 'what the server sends does not fit'
  : ['the server knows nothing of', Exclude<keyof Mine, keyof Wire>]
const agree = <Mine, Wire>(_: Agrees<Mine, Wire>) => undefined

agree<Ours.Message, Theirs.Message>('agreed')
agree<Ours.Row, Theirs.Message>('agreed')
agree<Ours.Attachment, Theirs.File>('agreed')
agree<Ours.Reaction, Theirs.Reaction>('agreed')
agree<Ours.User, Theirs.User>('agreed')
agree<Ours.Member, Theirs.Member>('agreed')
agree<Ours.Membership, Theirs.GroupMe>('agreed')
agree<Ours.Group, Theirs.Group>('agreed')
agree<Ours.Invitation, Theirs.Invitation>('agreed')
agree<Ours.JoinAnswer, Theirs.JoinRoomOut>('agreed')
agree<Ours.HistoryAnswer, Theirs.History>('agreed')
agree<Ours.SyncedGroup, Theirs.GroupSync>('agreed')
agree<Ours.SyncAnswer, Theirs.Sync>('agreed')
agree<Ours.HelloAnswer, Theirs.HelloOut>('agreed')
agree<Ours.Limits, Theirs.Limits>('agreed')
agree<Ours.ReadAnswer, Theirs.ReadState>('agreed')
agree<Ours.RowAnswer, Theirs.MessageOut>('agreed')
agree<Ours.PresenceAnswer, Theirs.PresenceOut>('agreed')
agree<Ours.PresencePush, Theirs.PresencePush>('agreed')
agree<Ours.ReadsAnswer, Theirs.ReadsOut>('agreed')
agree<Ours.ReadPush, Theirs.ReadPush>('agreed')
agree<Ours.TypingPush, Theirs.TypingPush>('agreed')
agree<Ours.Change, Theirs.Change>('agreed')
agree<Ours.MePush, Theirs.MeChange>('agreed')
agree<Ours.HeadsPush, Theirs.HeadsPush>('agreed')
export const codes: [Theirs.Code] extends [Ours.Code] ? 'agreed' : 'a code is missing' = 'agreed'

// And it does find what differs.
agree<{ gone: string }, { kept: string }>(['the server knows nothing of', 'gone'])
agree<{ role: 'owner' }, { role: 'owner' | 'admin' }>('what the server sends does not fit')
agree<{ role: string }, { role: 'owner' | 'admin' }>('the app takes it for more than it is')
agree<{ room: string }, { room?: string }>('what the server sends does not fit')
`

test('the app’s shapes of the protocol are the server’s', { skip: missing(), timeout: 120_000 }, async () => {
  const server = await Server.start()
  const folder = mkdtempSync(join(tmpdir(), 'qun-types-'))
  try {
    writeFileSync(join(folder, 'client.d.ts'), await (await fetch(server.url + '/client.d.ts')).text())
    writeFileSync(join(folder, 'check.ts'), check)
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({
      compilerOptions: { strict: true, exactOptionalPropertyTypes: true, noEmit: true, target: 'ES2022', module: 'ESNext', moduleResolution: 'Bundler', lib: ['ES2023', 'DOM'], types: [], skipLibCheck: true },
      files: ['check.ts'],
    }))
    symlinkSync(join(web, 'node_modules'), join(folder, 'node_modules'))
    const { status, stdout } = spawnSync(process.execPath, [join(web, 'node_modules/typescript/bin/tsc'), '-p', folder, '--pretty', 'false'], { encoding: 'utf8' })
    assert.equal(status, 0, stdout)
  } finally {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
})
