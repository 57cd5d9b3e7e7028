import { once } from 'node:events'
import { createServer } from 'node:net'
import { ConfigError } from '@docent/kit/config'

const sentences: Record<string, (host: string, port: number) => string> = {
  EADDRINUSE: (_host, port) => `port ${port} is in use; choose another with --port N`,
  EACCES: (_host, port) => `port ${port} may not be opened by this user; choose one above 1023 with --port N`,
  EADDRNOTAVAIL: (host) => `${host} is not an address of this machine; choose another with --host H`,
  ENOTFOUND: (host) => `${host} is not an address of this machine; choose another with --host H`,
  EAI_AGAIN: (host) => `${host} is not an address of this machine; choose another with --host H`,
}

/** Throws, in one sentence, when nothing can listen there now. */
export async function requireFreeDoor(host: string, port: number): Promise<void> {
  const server = createServer()
  try {
    server.listen(port, host)
    await once(server, 'listening')
  } catch (error) {
    const sentence = sentences[(error as NodeJS.ErrnoException).code ?? '']
    throw sentence ? new ConfigError(sentence(host, port)) : error
  }
  await new Promise((done) => server.close(done))
}
