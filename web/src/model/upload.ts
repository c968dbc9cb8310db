import { Refusal, type Attachment, type Code } from './protocol'

/** A file that is to be sent: its bytes until the server has them, then its id. */
export interface Outgoing {
  /** Under which it is uploaded, so that doing it again keeps it once. */
  key: string
  name: string
  size: number
  type: string
  width?: number | undefined
  height?: number | undefined
  blob?: Blob | undefined
  fileId?: string | undefined
}

/** Brings a file to the server; tells how much of it is there, from 0 to 1. */
export type Upload = (file: Outgoing, progress: (part: number) => void) => Promise<Attachment>

interface Body {
  file?: Attachment
  error?: { code: Code; message?: string; retryAfter?: number }
}

const stall = 30_000 // ms without a byte, after which an upload counts as dead

/** Uploads over HTTP; XMLHttpRequest is the one that tells how far it is. */
export const uploadByHttp: Upload = (file, progress) => new Promise((resolve, reject) => {
  const request = new XMLHttpRequest()
  let timer = setTimeout(() => request.abort(), stall)
  const moved = () => {
    clearTimeout(timer)
    timer = setTimeout(() => request.abort(), stall)
  }
  request.upload.onprogress = (e) => {
    moved()
    if (e.lengthComputable) progress(e.loaded / e.total)
  }
  request.onloadend = () => {
    clearTimeout(timer)
    const body = request.response as Body | null
    if (body?.file) resolve(body.file)
    else if (body?.error) reject(new Refusal(body.error.code, body.error.message, body.error))
    else reject(new Refusal('OFFLINE'))
  }
  request.open('POST', '/api/v1/files')
  request.responseType = 'json'
  request.setRequestHeader('Idempotency-Key', file.key)
  const form = new FormData()
  form.append('file', file.blob ?? new Blob(), file.name)
  request.send(form)
})

export const isImage = (file: { type: string }) => /^image\/(?:png|jpeg|gif|webp)$/.test(file.type)
