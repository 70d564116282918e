// Books one event of the stream `market.funding`: the row, the inbox row that makes it happen once, and the message that
// drops cached answers, in one transaction.
import { enqueueTell, firstTime } from '../bus/index.ts'
import { encodeDrops } from '../cache/index.ts'
import { CACHE_DROPS, type FundingEvent, type FundingRow, fundingDrops } from '../catalog/index.ts'
import type { Tx } from '../db/index.ts'
import type { Booked } from './events.ts'
import { writeContext } from './store-contexts.ts'
import { type RateWritten, writeRates } from './store-rates.ts'

export const FUNDING_GROUP = 'funding'

export async function bookFunding(tx: Tx, eventId: string, event: FundingEvent): Promise<Booked> {
  if (event.type === 'context') {
    const { type: _, time: updatedAt, ...context } = event
    return { what: 'context', result: await writeContext(tx, { ...context, updatedAt }) }
  }
  const { type: _, time: updatedAt, ...rate } = event
  // Redelivered behind the one that corrects it, it would be taken for a correction itself.
  if (!(await firstTime(tx, FUNDING_GROUP, eventId, updatedAt))) return { what: 'rate', result: 'again' }
  const [written] = await keepRates(tx, [{ ...rate, updatedAt }])
  return { what: 'rate', result: written!.result }
}

/** `writeRates`, and whoever has cached what it changes is told after the commit. */
export async function keepRates(tx: Tx, rows: readonly FundingRow[]): Promise<RateWritten[]> {
  const written = await writeRates(tx, rows)
  const changed = written.filter(({ result }) => result !== 'same').map(({ row }) => row)
  if (changed.length > 0) await enqueueTell(tx, CACHE_DROPS, encodeDrops(fundingDrops(changed)))
  return written
}
