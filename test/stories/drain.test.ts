// Everything is told to stop while it is busy, and started again. Each process ends in order and within
// its time (else its exit code is not 0), and in the end every row is the one of a run that was stopped at other moments.
import { afterAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { recording } from '../support/recordings.ts'
import type { System } from '../support/system.ts'
import { firstDifference } from './compare.ts'
import { BRL, partOf, recordedSettings, undisturbed } from './recorded-market.ts'
import { type Run, runRecording, startCrew, summaryOf } from './run-recording.ts'

const file = recording(BRL)
const part = file === undefined ? undefined : await partOf(file, 11_650, 950)
afterAll(() => part?.remove())

describe.skipIf(part === undefined)('a drain of everything at once', () => {
  const settings = recordedSettings(part?.path ?? '', { DRAIN_MS: '10000' })
  const first: Run[] = []

  it.each([
    ['sqlite', [3, 20]],
    ['postgres', [10]],
  ] as const)(
    'ends in order, and the next start goes on, on %s',
    { timeout: 240_000 },
    async (driver, moments) => {
      const disturb = async (system: System) => {
        for (const executed of moments) {
          await untilExecuted(system, executed)
          await drainAll(system)
          await startCrew(system)
        }
      }
      const run = await runRecording(driver, { ...settings, FEED_SPEED: '250' }, { disturb })
      process.stderr.write(`drains at ${moments.join(' and ')} executions on ${driver}: ${summaryOf(run)}\n`)
      expect(run.faults).toEqual([])
      const opened = (await undisturbed(settings)).filter(({ phase }) => phase === 'opened')
      expect(run.books.executions).toHaveLength(opened.length)
      first.push(run)
      expect(firstDifference(first[0]!.books, run.books)).toBeUndefined()
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
