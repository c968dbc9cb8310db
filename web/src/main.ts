import './styles/tokens.css'
import './styles/base.css'
import './styles/controls.css'
import './styles/shell.css'
import './styles/conversations.css'
import './styles/timeline.css'
import './styles/composer.css'
import './styles/drawer.css'
import './styles/search.css'
import './styles/overlays.css'
import './styles/first.css'
import './styles/forced.css'
import { createApp } from 'vue'
import { chat } from './app'
import App from './App.vue'
import { fetchParts } from './ui/later'
import { startNotices } from './ui/notices'
import { startRenewal } from './ui/renewal'
import './ui/theme' // follows the system's from the start

void chat.start()
startNotices(chat)
startRenewal()
const unwatch = chat.watch(() => {
  if (!chat.ready) return
  unwatch()
  setTimeout(() => void fetchParts(), 3000) // after all that is waited for
})
createApp(App).mount('#app')
