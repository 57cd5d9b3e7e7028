import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { UpstreamMode } from '../../lib/testkit/src/mock-upstream.ts'
import { adminKey, envOf, passage, post } from './harness.ts'
import { withModel } from './with-model.ts'

describe('what a log may not hold', () => {
  const folder = mkdtempSync(join(tmpdir(), 'docent-canaries-'))
  const logFile = join(folder, 'log')
  const apiKey = 'sk-canary-of-the-provider-0123456789'
  const { scope, place, model, gateway } = withModel({
    logFile,
    env: { LLM_API_KEY: apiKey, LLM_FIRST_TOKEN_S: '0.5', LLM_SILENCE_S: '0.5' },
    breaker: { failures: 1_000 },
  })
  scope.defer(() => rmSync(folder, { recursive: true }))

  test('C20 no secret, question, document or answer stands in it, however things go wrong', async () => {
    const said = { question: 'KANARIENFRAGE', document: 'KANARIENTEXT', answer: 'KANARIENANTWORT', fact: 'KANARIENNAME' }
    place.neighbours.passages = [passage(`${said.document} 保修期为 24 个月。`, { title: said.fact })]
    model.pieces = [said.answer, ' [1]', '。', said.answer]
    const ask = async (path = '/api/v1/ask', body: object = { question: `${said.question} 保修期？${path}${model.mode}${model.status}` }) =>
      void (await (await post(gateway.url + path, body, { authorization: `Bearer ${adminKey}` })).text())
    for (const mode of ['good', 'silent', 'stall', 'cut', 'reset', 'half', 'error', 'empty'] as const satisfies UpstreamMode[]) {
      model.mode = mode
      await ask()
    }
    model.mode = 'status'
    for (const status of [400, 401, 429, 500]) {
      model.status = status
      await ask()
    }
    await ask('/chat', { message: said.question })
    await ask('/v1/chat/completions', { messages: [{ role: 'user', content: said.question }] })
    await ask('/api/v1/search', { query: said.question, nonsense: said.question })
    await ask('/api/v1/personas', { id: 'x', title: 'x', prompt: said.question.repeat(10_000) })
    place.neighbours.down = true
    await ask()
    await ask('/api/v1/search', { query: said.question })

    const log = readFileSync(logFile, 'utf8')
    // it was written to, of what went wrong too
    expect(log).toContain('"code":"unavailable"')
    const env = envOf(place)
    const secrets = [apiKey, adminKey, env.INTERNAL_TOKEN!, new URL(place.databaseUrl).password, new URL(place.databaseUrl).href]
    for (const secret of [...secrets, ...Object.values(said)]) {
      expect(secret.length).toBeGreaterThan(8)
      expect(log.includes(secret), secret).toBe(false)
    }
  })
})
