import { newId } from '../model/ids'
import { isImage, type Outgoing } from '../model/upload'

export const mostFiles = 9

/** Makes files that can be sent of what was picked, pasted or dropped; a picture tells its size, so that its box is known. */
export async function outgoing(files: Iterable<File>): Promise<Outgoing[]> {
  return Promise.all([...files].map(async (file) => ({
    key: newId(), name: file.name || 'file', size: file.size, type: file.type || 'application/octet-stream', blob: file, ...(await measure(file)),
  })))
}

async function measure(file: File): Promise<{ width?: number; height?: number }> {
  if (!isImage(file)) return {}
  try {
    const { width, height } = await createImageBitmap(file)
    return { width, height }
  } catch {
    return {} // no picture, whatever it says
  }
}
