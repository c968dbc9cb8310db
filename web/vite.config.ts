import { readFileSync } from 'node:fs'
import vue from '@vitejs/plugin-vue'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

/** The icons stand in the page itself, so that none appears late and none is fetched. */
function sprite(): Plugin {
  const read = () => readFileSync(new URL('src/ui/icons.svg', import.meta.url), 'utf8').trim()
  return {
    name: 'sprite',
    transformIndexHtml: (html) => html.replace('<!-- icons -->', read()),
  }
}

const server = process.env.QUN_SERVER ?? 'http://localhost:3000'

export default defineConfig({
  plugins: [vue(), sprite()],
  define: { __VUE_OPTIONS_API__: 'false', __VUE_PROD_DEVTOOLS__: 'false' },
  build: {
    outDir: 'dist/app',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // everything from our own origin, nothing as data:
    reportCompressedSize: false, // tools/size.mjs says it, and refuses
  },
  server: {
    proxy: {
      '/socket.io': { target: server, ws: true },
      '/api': server,
      '/files': server,
    },
  },
  test: { include: ['test/**/*.test.ts'], environment: 'node' },
})
