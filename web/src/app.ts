import { watch } from 'vue'
import { locale } from './i18n'
import { HttpAccount } from './model/account'
import { Chat } from './model/chat'
import { BrowserStore } from './model/outbox-store'
import { uploadByHttp } from './model/upload'
import { SocketWire } from './model/socket'
import { attentive, onReturn, visible } from './ui/attention'

/** The one chat of this page. */
export const chat = new Chat({
  wire: new SocketWire(),
  account: new HttpAccount(),
  store: new BrowserStore(),
  upload: uploadByHttp,
  attentive: () => attentive.value,
  visible: () => visible.value,
  locale: () => locale.value,
})

onReturn(() => chat.nudge())
watch(visible, () => chat.look())
