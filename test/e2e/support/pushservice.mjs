import { execFileSync } from 'node:child_process'
import { createDecipheriv, createECDH, hkdfSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Stands for the push service of a browser's maker, on loopback: takes what the server sends to a subscription, and opens
 * it as the browser would. A certificate of its own makes it https; the server trusts it by .environment.
 */
export class PushService {
  static async start() {
    const service = new PushService()
    service.folder = mkdtempSync(join(tmpdir(), 'qun-push-'))
    const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(service.folder, name))
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=push',
      '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert], { stdio: 'ignore' })
    service.environment = { SSL_CERT_FILE: cert }
    service.devices = new Map()
    service.calls = []
    service.http = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (asked, answer) => void service.take(asked, answer))
    service.http.listen(0, '127.0.0.1')
    await once(service.http, 'listening')
    return service
  }

  /** A subscription as a browser's pushManager makes one; .calls is what came for it since. */
  subscribe() {
    const ecdh = createECDH('prime256v1')
    const device = { ecdh, auth: randomBytes(16), path: '/' + randomBytes(8).toString('hex'), calls: [] }
    ecdh.generateKeys()
    this.devices.set(device.path, device)
    return {
      calls: device.calls,
      endpoint: `https://127.0.0.1:${this.http.address().port}${device.path}`,
      keys: { p256dh: ecdh.getPublicKey('base64url'), auth: device.auth.toString('base64url') },
    }
  }

  async take(asked, answer) {
    const parts = []
    for await (const part of asked) parts.push(part)
    const device = this.devices.get(asked.url)
    if (device) device.calls.push({ text: open(device, Buffer.concat(parts)), headers: asked.headers })
    answer.writeHead(device ? 201 : 410).end()
  }

  stop() {
    this.http.closeAllConnections()
    this.http.close()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** RFC 8291 from the browser's side: aes128gcm, one record. */
function open({ ecdh, auth }, body) {
  const salt = body.subarray(0, 16)
  const length = body[20]
  const sender = body.subarray(21, 21 + length)
  const shared = ecdh.computeSecret(sender)
  const ikm = hkdfSync('sha256', shared, auth, Buffer.concat([Buffer.from('WebPush: info\0'), ecdh.getPublicKey(), sender]), 32)
  const derive = (info, size) => Buffer.from(hkdfSync('sha256', Buffer.from(ikm), salt, Buffer.from(info + '\0'), size))
  const sealed = body.subarray(21 + length)
  const cipher = createDecipheriv('aes-128-gcm', derive('Content-Encoding: aes128gcm', 16), derive('Content-Encoding: nonce', 12))
  cipher.setAuthTag(sealed.subarray(-16))
  const plain = Buffer.concat([cipher.update(sealed.subarray(0, -16)), cipher.final()])
  return plain.subarray(0, plain.lastIndexOf(2)).toString()
}
