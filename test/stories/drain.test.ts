// Everything is told to stop while it is busy, twice, and started again. Each process ends in order and within
// its time (else its exit code is not 0), and in the end every row is the one of an undisturbed run.
import { afterAll, describe, expect, it } from 'vitest'
import { drivers } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { recording } from '../support/recordings.ts'
import type { System } from '../support/system.ts'
import { firstDifference } from './compare.ts'
import { BRL, partOf, recordedSettings } from './recorded-market.ts'
import { type Run, runRecording, startCrew, summaryOf } from './run-recording.ts'

const file = recording(BRL)
const part = file === undefined ? undefined : await partOf(file, 11_650, 950)
afterAll(() => part?.remove())

describe.skipIf(part === undefined)('a drain of everything at once', () => {
  const settings = recordedSettings(part?.path ?? '', { DRAIN_MS: '10000' })
  let quiet: Promise<Run> | undefined

  it.each(drivers)(
    'ends in order, and the next start goes on from there, on %s',
    { timeout: 240_000 },
    async (driver) => {
      quiet ??= runRecording('sqlite', settings)
      const expected = await quiet
      const run = await runRecording(
        driver,
        { ...settings, FEED_SPEED: '250' },
        {
          disturb: async (system) => {
            for (const executed of [3, 20]) {
              await untilExecuted(system, executed)
              await drainAll(system)
              await startCrew(system)
            }
          },
        },
      )
      process.stderr.write(`two drains on ${driver}: ${summaryOf(run)}\n`)
      expect(run.faults).toEqual([])
      expect(firstDifference(expected.books, run.books)).toBeUndefined()
    },
  )
})

/** Busy: some are executed, and there is more to come. */
const untilExecuted = ({ database }: System, many: number) =>
  eventually(async () => (await database.read(({ sql, t }) => sql.$count(t.executions))) >= many, {
    timeoutMs: 60_000,
    what: `${many} executions`,
  })

async function drainAll(system: System): Promise<void> {
  const workers = system.running()
  for (const worker of workers) worker.send('SIGTERM')
  const ends = await Promise.all(workers.map(async ({ name, ended }) => ({ name, ...(await ended) })))
  for (const { name, code, signal, stdout } of ends) {
    expect({ name, code, signal }, stdout).toEqual({ name, code: 0, signal: null })
    expect(stdout).toContain(`"${name} stopped"`)
  }
}
