// The recorded market through the running system: feed, two detectors, two executors and a ledger as processes.
// `npm test` takes a quarter of an hour of it; `npm run stories:full` all eight.
import { afterAll, describe, expect, it } from 'vitest'
import { drivers } from '../support/database.ts'
import { recording } from '../support/recordings.ts'
import { firstDifference } from './compare.ts'
import { BRL, partOf, recordedSettings, undisturbed } from './recorded-market.ts'
import { type Run, runRecording, summaryOf } from './run-recording.ts'

const isFull = process.env['SLUICE_STORIES'] === 'full'
const file = recording(BRL)
const part = file === undefined || isFull ? undefined : await partOf(file, 11_650, 500)
afterAll(() => part?.remove())

describe.skipIf(file === undefined)('a recorded market', () => {
  const settings = recordedSettings(part?.path ?? file ?? '')
  const first = new Map<string, Run>()

  it.each(drivers)(
    'is traded once, and the same again from nothing, on %s',
    { timeout: 600_000 },
    async (driver) => {
      const run = await runRecording(driver, settings)
      first.set(driver, run)
      process.stderr.write(`${driver}: ${summaryOf(run)}\n`)
      expect(run.faults).toEqual([])
      const opened = (await undisturbed(settings)).filter(({ phase }) => phase === 'opened')
      expect(run.books.executions.map((row) => row.opportunityId).sort()).toEqual(
        opened.map(({ id }) => id).sort(),
      )
      expect(run.books.trades.length).toBeGreaterThan(0)
      const again = await runRecording(driver, settings)
      process.stderr.write(`${driver}, again: ${summaryOf(again)}\n`)
      expect(again.faults).toEqual([])
      expect(firstDifference(run.books, again.books)).toBeUndefined()
    },
  )

  it('leaves the same rows in SQLite and in Postgres', () => {
    const [a, b] = drivers.map((driver) => first.get(driver)?.books)
    if (!a || !b) throw new Error('a run before has failed')
    expect(firstDifference(a, b)).toBeUndefined()
  })
})
