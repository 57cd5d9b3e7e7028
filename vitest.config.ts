import { defineConfig } from 'vitest/config'

// functions alone: no store, no service, nothing of the process is changed
const pure = ['services/{embedder,extractor,gateway,ingest,retrieval}/src/**/*.test.ts', 'services/lib/*/src/**/*.test.ts']

export default defineConfig({
  test: {
    pool: 'forks',
    // Most files wait more than they work, so three keep a machine of two cores busy; each takes connections and memory.
    maxWorkers: 3,
    projects: [
      // one process for many files: a new one each would import the same again
      { extends: true, test: { name: 'pure', include: pure, isolate: false } },
      {
        extends: true,
        test: {
          name: 'services',
          include: ['services/**/*.test.ts'],
          exclude: ['**/node_modules/**', ...pure],
          globalSetup: ['services/lib/testkit/src/global-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
