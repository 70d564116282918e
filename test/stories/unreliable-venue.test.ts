// Venues that reject, fill in part and never answer. Whatever they do, the books reconcile, no order is sent twice,
// and what could not be evened out is reported.
import { afterAll, describe, expect, it } from 'vitest'
import { readReports } from '../../src/console/index.ts'
import { closeRedis, connectRedis, ready } from '../../src/redis/index.ts'
import { drivers } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { recording } from '../support/recordings.ts'
import type { System } from '../support/system.ts'
import { firstDifference } from './compare.ts'
import { BRL, partOf, recordedSettings } from './recorded-market.ts'
import { type Run, runRecording, summaryOf } from './run-recording.ts'
import { LEASE_MS, strike, strikeSeed } from './strikes.ts'

const file = recording(BRL)
const part = file === undefined ? undefined : await partOf(file, 11_650, 500)
afterAll(() => part?.remove())

describe.skipIf(part === undefined)('a venue that rejects, fills in part and keeps silent', () => {
  const settings = recordedSettings(part?.path ?? '', {
    LEASE_MS: String(LEASE_MS),
    ORDER_TIMEOUT_MS: '50',
    PAPER_SILENT_RATE: '0.2',
    PAPER_REJECT_RATE: '0.15',
    PAPER_PARTIAL_RATE: '0.4',
  })
  const first = new Map<string, Run>()

  it.each(drivers)(
    'leaves books that reconcile and says what stays exposed, on %s',
    { timeout: 120_000 },
    async (driver) => {
      const run = await runRecording(driver, settings, {
        inspect: async (system, { books }) => {
          const count = (outcome: string) => books.executions.filter((e) => e.outcome === outcome).length
          expect(count('unwound')).toBeGreaterThan(0)
          expect(count('filled')).toBeGreaterThan(0)
          await eventually(
            async () => (await counted(system, 'sluice_arbitrage_exposed_total')) === count('exposed'),
            {
              what: `${count('exposed')} reported exposures`,
            },
          )
          expect(await counted(system, 'sluice_arbitrage_ambiguous_total')).toBeGreaterThan(0)
        },
      })
      first.set(driver, run)
      process.stderr.write(`unreliable venue on ${driver}: ${summaryOf(run)}\n`)
      expect(run.faults).toEqual([])
      // The venue draws by the order's id: both databases meet the same fate.
      const [a, b] = drivers.map((name) => first.get(name)?.books)
      if (a && b) expect(firstDifference(a, b)).toBeUndefined()
    },
  )

  it('comes to the same end when its executors are killed and paused meanwhile', {
    timeout: 120_000,
  }, async () => {
    const seed = strikeSeed('an unreliable venue')
    const run = await runRecording('sqlite', settings, {
      disturb: async (system) => {
        await strike(system, { seed, times: 6, kinds: ['executor'] })
      },
    })
    process.stderr.write(`unreliable venue, 6 strikes: ${summaryOf(run)}\n`)
    expect(run.faults).toEqual([])
    expect(firstDifference(first.get('sqlite')!.books, run.books)).toBeUndefined()
  })
})

/** Sum of a counter over all living workers. */
async function counted({ redis }: System, name: string): Promise<number> {
  const client = connectRedis(redis.url, 'writer')
  try {
    await ready(client, 15_000)
    const samples = (await readReports(client)).flatMap(({ counters }) => counters)
    return samples.filter(([metric]) => metric === name).reduce((sum, [, , value]) => sum + value, 0)
  } finally {
    await closeRedis(client)
  }
}
