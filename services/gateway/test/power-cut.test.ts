import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Answer } from '@docent/core/answer-event'
import { describe, expect, test } from 'vitest'
import { openMockUpstream } from '../../lib/testkit/src/mock-upstream.ts'
import { openOwnPostgres, startOwnPostgres } from '../../lib/testkit/src/own-postgres.ts'
import { canCutPower, openCuttableDisk } from '../../lib/testkit/src/power-cut.ts'
import { until } from '../../lib/testkit/src/until.ts'
import { eachOf, openPlace, openPool, post, startAt } from './harness.ts'

const isAble = canCutPower()

describe.skipIf(!isAble)(isAble ? 'a power cut of Postgres' : 'a power cut of Postgres, for nothing may be mounted here', () => {
  test('P11 every question that was acknowledged and every answer that was given is there on the disk that is left', async () => {
    await using scope = new AsyncDisposableStack()
    const disk = openCuttableDisk(scope, 256)
    const postgres = await openOwnPostgres(scope, disk.path)
    const place = await openPlace(scope, { databaseUrl: postgres.url })
    // what was there before is no part of it
    execFileSync('sync', ['-f', disk.path])
    const model = scope.use(await openMockUpstream({ mode: 'slow', pieceMs: 10 }))
    const gateway = await startAt(place, scope, { LLM_BASE_URL: model.url, LLM_MODEL: 'mock' })

    const begun: { id: string; question: string }[] = []
    const given: Answer[] = []
    let left: string | undefined
    await eachOf(
      Array.from({ length: 160 }, (_, i) => i),
      8,
      async (i) => {
        if (left) return
        const question = `断电 ${i} ${randomUUID()}`
        const response = await post(`${gateway.url}/api/v1/${i % 2 ? 'answers' : 'ask'}`, { question, ...(i % 2 ? { async: true } : {}) })
        const said = (await response.json()) as Answer
        // what is heard after the cut was said before it, or is refused
        if (left || !response.ok) return
        begun.push({ id: said.id, question })
        if (i % 2 === 0) given.push(said)
        if (begun.length !== 60) return
        postgres.signal('SIGSTOP')
        left = disk.cut()
      },
    )
    expect(given.length).toBeGreaterThan(15)

    const dataDir = join(left!, basename(postgres.dataDir))
    // nobody outlives a power cut: the records of who ran name nobody
    rmSync(join(dataDir, 'run'), { recursive: true, force: true })
    rmSync(join(dataDir, 'postgres/data/postmaster.pid'), { force: true })
    const after = await startOwnPostgres(scope, dataDir)
    postgres.signal('SIGCONT')
    const on = (url: string) => Object.assign(new URL(url), { port: new URL(after.url).port }).href
    const pool = openPool(on(place.ownerUrl))
    scope.defer(() => pool.end())
    for (const { question } of begun)
      expect((await pool.query('SELECT count(*)::int AS n FROM chat.message WHERE text = $1', [question])).rows).toEqual([{ n: 1 }])
    const again = await startAt(
      { ...place, databaseUrl: on(place.databaseUrl), ownerUrl: on(place.ownerUrl) },
      scope,
      {},
      { orphanMs: 500, sweepMs: 100, settleMs: 200 },
    )
    const stored = async (id: string) => (await (await fetch(`${again.url}/api/v1/answers/${id}`)).json()) as Answer
    for (const { id } of begun) await until('what was being written is closed', async () => (await stored(id)).state !== 'streaming')
    for (const answer of given)
      expect(await stored(answer.id)).toMatchObject({ state: 'done', text: answer.text, citations: answer.citations })
  })
})
