import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, test } from 'vitest'
import { requireFreeDoor } from './free-door.ts'

test('a port in use, and an address of another machine, are told in one sentence; a free port stays free', async () => {
  await using scope = new AsyncDisposableStack()
  const server = createServer().listen(0, '127.0.0.1')
  scope.defer(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const problem = { name: 'ConfigError', message: `port ${port} is in use; choose another with --port N` }
  await expect(requireFreeDoor('127.0.0.1', port)).rejects.toMatchObject(problem)
  await expect(requireFreeDoor('192.0.2.1', 0)).rejects.toMatchObject({ message: expect.stringContaining('--host') })
  server.close()
  await once(server, 'close')
  await requireFreeDoor('127.0.0.1', port)
  await requireFreeDoor('127.0.0.1', port)
})
