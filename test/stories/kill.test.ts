// Workers are killed and paused at 20 random moments while a recorded market is traded. Afterwards nothing is lost,
// nothing is twice, and every row is the one that an undisturbed run leaves.
import { afterAll, describe, expect, it } from 'vitest'
import { drivers } from '../support/database.ts'
import { recording } from '../support/recordings.ts'
import type { System } from '../support/system.ts'
import { firstDifference } from './compare.ts'
import { BRL, partOf, recordedSettings } from './recorded-market.ts'
import { type Run, runRecording, summaryOf } from './run-recording.ts'
import { LEASE_MS, strike, strikeSeed } from './strikes.ts'

const STRIKES = 20
// Half an hour in which the venues crossed often; at 60 times its pace it lasts as long as the strikes.
const file = recording(BRL)
const part = file === undefined ? undefined : await partOf(file, 11_650, 950)
afterAll(() => part?.remove())

describe.skipIf(part === undefined)('killing and pausing any worker at any time', () => {
  const settings = recordedSettings(part?.path ?? '', { LEASE_MS: String(LEASE_MS) })
  let quiet: Promise<Run> | undefined

  it.each(drivers)('loses nothing and does nothing twice, on %s', { timeout: 300_000 }, async (driver) => {
    quiet ??= runRecording('sqlite', settings)
    const expected = await quiet
    expect(expected.faults).toEqual([])
    const seed = strikeSeed(`killing on ${driver}`)
    let strikes: string[] = []
    const run = await runRecording(
      driver,
      { ...settings, FEED_SPEED: '60' },
      {
        disturb: async (system) => {
          const kinds = ['feed', 'detector', 'executor', 'executor', 'ledger']
          strikes = await strike(system, { seed, times: STRIKES, kinds })
        },
      },
    )
    process.stderr.write(`${driver}, undisturbed: ${summaryOf(expected)}\n`)
    process.stderr.write(`${driver}, ${strikes.length} strikes (${strikes.join(', ')}): ${summaryOf(run)}\n`)
    expect(run.faults).toEqual([])
    expect(firstDifference(expected.books, run.books)).toBeUndefined()
  })

  it('never gives up what killed executors held, however much that was', { timeout: 300_000 }, async () => {
    quiet ??= runRecording('sqlite', settings)
    const expected = await quiet
    // All is published at once, so each executor dies with nearly everything delivered to it, and oftener than any
    // other group would put up with (CRASHES_MAX in src/bus/attempts.ts).
    const run = await runRecording('sqlite', settings, {
      disturb: (system) => killAll(system, 'executor', 7),
    })
    expect(run.faults).toEqual([])
    expect(firstDifference(expected.books, run.books)).toBeUndefined()
  })
})

/** Kills every worker of a kind and starts as many, `times` times, each time when the new ones work. */
async function killAll(system: System, kind: string, times: number): Promise<void> {
  for (let i = 0; i < times; i += 1) {
    const victims = system.running().filter(({ name }) => name === kind)
    for (const victim of victims) victim.send('SIGKILL')
    await Promise.all(victims.map(({ ended }) => ended))
    const next = victims.map(() => system.start(kind))
    await Promise.all(next.map((worker) => worker.says(`${kind} started`)))
  }
}
