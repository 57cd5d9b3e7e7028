import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const services = fileURLToPath(new URL('../../..', import.meta.url))
const may: Record<string, string[]> = {
  core: [],
  kit: ['core'],
  models: ['core'],
  corpus: ['core'],
  extractor: ['core', 'kit'],
  embedder: ['core', 'kit', 'models'],
  ingest: ['core', 'kit', 'models', 'corpus'],
  retrieval: ['core', 'kit', 'models', 'corpus'],
  gateway: ['core', 'kit', 'models'],
  solo: ['core', 'kit', 'models', 'corpus', 'extractor', 'embedder', 'ingest', 'retrieval', 'gateway'],
  web: [],
}
const manifests = globSync('{*,lib/*}/package.json', { cwd: services }).map(
  (path) =>
    JSON.parse(readFileSync(`${services}/${path}`, 'utf8')) as {
      name: string
      dependencies?: object
      devDependencies?: object
      optionalDependencies?: object
    },
)

test('packages know each other only along the arrows', () => {
  const wrong: string[] = []
  for (const { name, dependencies, devDependencies, optionalDependencies } of manifests) {
    const self = name.replace('@docent/', '')
    if (self === 'testkit') continue
    for (const other of Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies })) {
      if (other.startsWith('@docent/') && !may[self]?.includes(other.slice('@docent/'.length))) wrong.push(`${self} → ${other}`)
    }
  }
  expect(wrong).toEqual([])
  expect(manifests.length).toBe(Object.keys(may).length + 1)
})

const vendors: Record<string, RegExp> = {
  openai: /lib\/models\/|lib\/testkit\/|\.test\.ts$|^gateway\/test|^embedder\/test/,
  '@huggingface/inference': /lib\/models\//,
  chromadb: /lib\/corpus\/|lib\/testkit\/src\/bench\/|^solo\//, // a benchmark stands beside the raw client
  bullmq: /lib\/kit\/|^ingest\//,
}

test('a vendor is imported only where it belongs', () => {
  const wrong = globSync('**/*.ts', { cwd: services, exclude: (entry) => String(entry).includes('node_modules') }).flatMap((path) => {
    const text = readFileSync(`${services}/${path}`, 'utf8')
    return Object.entries(vendors).flatMap(([vendor, allowed]) =>
      text.includes(`from '${vendor}'`) && !allowed.test(path) ? [`${path} imports ${vendor}`] : [],
    )
  })
  expect(wrong).toEqual([])
})
