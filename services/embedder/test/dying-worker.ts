import { parentPort } from 'node:worker_threads'

// The real worker, which dies when a text tells it to.
parentPort!.on('message', (request: { text?: string }) => {
  if (request.text?.includes('die!')) process.exit(7)
})
await import('../src/session-worker.ts')
