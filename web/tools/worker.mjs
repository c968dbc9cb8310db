// Builds the service worker: one file of its own at the root, which is how far a worker's scope reaches. It is named
// without a hash, since browsers look there for a newer one.
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const root = new URL('../', import.meta.url)
await build({
  configFile: false,
  root: fileURLToPath(root),
  logLevel: 'warn',
  publicDir: false,
  build: {
    outDir: 'dist/app',
    emptyOutDir: false,
    target: 'es2022',
    lib: { entry: fileURLToPath(new URL('src/worker/sw.ts', root)), formats: ['iife'], name: 'worker', fileName: () => 'sw.js' },
  },
})
