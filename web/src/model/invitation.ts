import { Refusal, type Invitation } from './protocol'
import type { Wire } from './wire'

/** Asks what an invitation leads to, on a connection of its own: nobody has to be somebody yet to see it. */
export function invitation(wire: Wire, token: string): Promise<Invitation> {
  return new Promise<Invitation>((resolve, reject) => {
    wire.events = {
      connected: () => void wire.request<Invitation>('inviteInfo', { token }).then(resolve, reject),
      disconnected: () => undefined,
      refused: () => reject(new Refusal('OFFLINE')),
      push: () => undefined,
    }
    wire.open()
  }).finally(() => wire.close())
}
