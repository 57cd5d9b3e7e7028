import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['services/**/*.test.ts'],
    globalSetup: ['services/lib/testkit/src/global-setup.ts'],
    pool: 'forks',
    // Each file that needs the stores takes connections and memory: two at once fit a machine of two cores.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
