import { createFakeEmbedder } from '@docent/models/fake/fake-embedder'
import { expect, test } from 'vitest'
import { until } from '../../lib/testkit/src/until.ts'
import { PATIENCE } from './fault-record.ts'
import { longText, openWorld } from './worker-world.ts'

const moments = [
  { point: 'G1', name: 'a batch embedded and not saved', saved: 0 },
  { point: 'G2', name: 'a batch saved', saved: 16 },
  { point: 'G3', name: 'vectors in Chroma', saved: 110 },
]

test.concurrent.for(moments)(
  'a build killed at $point ($name) goes on by itself, and what was saved is not embedded again',
  PATIENCE,
  async ({ point, saved }) => {
    await using scope = new AsyncDisposableStack()
    const candidate = createFakeEmbedder({ model: 'candidate', dimension: 96 })
    const world = await openWorld(scope, { candidate })
    world.put('book.txt', longText('page', 110))
    await world.indexHere()
    const { texts } = await world.corpus.countTexts('candidate')
    expect(texts).toBe(110)
    const { id } = await world.corpus.beginGeneration('candidate', 96, 'test')

    const hit = await world.worker({ FAULT_POINT: point })
    expect((await hit.ended(120_000)).signal).toBe('SIGKILL')
    expect((await world.corpus.countTexts('candidate')).missing).toBe(texts - saved)
    const before = candidate.embedded.length

    // what comes while nobody builds is in both afterwards
    world.put('leaf.txt', 'A leaf beside the book.')
    const again = await world.worker()
    await again.up()
    await world.allReady(60_000)
    await until(
      'the build is complete',
      async () => {
        const row = await world.corpus.findGeneration(id)
        return row?.isCompared && (await world.corpus.countTexts('candidate')).missing === 0 ? true : undefined
      },
      60_000,
    )
    expect(candidate.embedded.length - before).toBe(texts + 1 - saved)
    await world.clean()
    await world.corpus.activateGeneration(id, { force: true })
    await world.clean()
  },
)
