import { defineConfig } from 'vitest/config'
import { closingReporter } from './test/support/closing-line.ts'
import { LongFirst } from './test/support/long-first.ts'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 3,
    // Files of a worker share what they import: 130 of 715 s of processor time were its loading, 163 times.
    isolate: false,
    sequence: { sequencer: LongFirst },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default', closingReporter],
  },
})
