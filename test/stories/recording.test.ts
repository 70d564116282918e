// The recorded market through the running system: feed, two detectors, two executors and a ledger as processes.
// `npm test` takes a quarter of an hour of it; `npm run stories:full` all eight.
import { afterAll, describe, expect, it } from 'vitest'
import type { Driver } from '../../src/db/index.ts'
import { drivers } from '../support/database.ts'
import { recording } from '../support/recordings.ts'
import type { Books } from './books.ts'
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

  it.each(drivers)('is traded once, on %s', { timeout: 300_000 }, async (driver) => {
    const run = await runRecording(driver, settings)
    first.set(driver, run)
    process.stderr.write(`${driver}: ${summaryOf(run)}\n`)
    expect(run.faults).toEqual([])
    const opened = (await undisturbed(settings)).filter(({ phase }) => phase === 'opened')
    expect(run.books.executions.map((row) => row.opportunityId).sort()).toEqual(
      opened.map(({ id }) => id).sort(),
    )
    expect(run.books.trades.length).toBeGreaterThan(0)
  })

  // Both databases leave the same rows, so one of them is enough where time counts.
  it.each(isFull ? drivers : (['sqlite'] as const))(
    'gives the same again from nothing, on %s',
    { timeout: 300_000 },
    async (driver) => {
      const again = await runRecording(driver, settings)
      process.stderr.write(`${driver}, again: ${summaryOf(again)}\n`)
      expect(again.faults).toEqual([])
      expect(firstDifference(booksOf(driver), again.books)).toBeUndefined()
    },
  )

  it('leaves the same rows in SQLite and in Postgres', () => {
    expect(firstDifference(booksOf('sqlite'), booksOf('postgres'))).toBeUndefined()
  })

  function booksOf(driver: Driver): Books {
    const run = first.get(driver)
    if (!run) throw new Error(`the run on ${driver} has failed`)
    return run.books
  }
})
