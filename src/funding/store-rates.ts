// Funding rates into their table. What comes later wins, whoever brings it, because a venue that corrects a settlement
// says it again; a field that is not said again stays, so that a file does not take the prices of a feed away.
import type { FundingRow } from '../catalog/index.ts'
import { and, eq, inArray, type Tx } from '../db/index.ts'

/**
 * `completed`: the rate is the same and something about it is new. `revised`: an estimate became another one.
 * `corrected`: the rate of a settlement that was over is another one now.
 */
export type RateResult = 'new' | 'same' | 'completed' | 'revised' | 'corrected'

export interface RateWritten {
  readonly row: FundingRow
  readonly result: RateResult
  /** The rate that it had. */
  readonly before?: string
}

// Nine columns each: far below the 32,766 parameters of one SQLite statement.
const AT_ONCE = 1_000

/**
 * Writes rows that arrive in this order, of which none has the instrument and the settlement of another; answers what
 * became of each, in the order of their keys. Decimals have to be canonical (`exactText`).
 */
export async function writeRates(tx: Tx, rows: readonly FundingRow[]): Promise<RateWritten[]> {
  const written: RateWritten[] = []
  // In one order everywhere: two writers that meet wait for each other once, and not in a circle.
  const sorted = rows.toSorted(byKey)
  for (let at = 0; at < sorted.length; at += AT_ONCE) {
    written.push(...(await writeSome(tx, sorted.slice(at, at + AT_ONCE))))
  }
  return written
}

async function writeSome(tx: Tx, rows: readonly FundingRow[]): Promise<RateWritten[]> {
  const { sql, t } = tx
  // Inserted first: who reads first and finds nothing would not see the row of a writer that is not done.
  const inserted = await sql
    .insert(t.fundingRates)
    .values([...rows])
    .onConflictDoNothing()
    .returning({
      ...{ venue: t.fundingRates.venue, symbol: t.fundingRates.symbol },
      fundingTime: t.fundingRates.fundingTime,
    })
  const fresh = new Set(inserted.map(keyOf))
  const known = await lockRates(
    tx,
    rows.filter((row) => !fresh.has(keyOf(row))),
  )
  const written = rows.map((row): RateWritten => {
    const before = known.get(keyOf(row))
    return before ? mergeRate(before, row) : { row, result: 'new' }
  })
  const changed = written.filter(({ result }) => result !== 'new' && result !== 'same')
  if (changed.length > 0)
    await tx.upsert(
      t.fundingRates,
      changed.map(({ row }) => row),
    )
  return written
}

async function lockRates(tx: Tx, rows: readonly FundingRow[]): Promise<Map<string, FundingRow>> {
  const { sql, t } = tx
  const known = new Map<string, FundingRow>()
  for (const series of Map.groupBy(rows, ({ venue, symbol }) => `${venue}|${symbol}`).values()) {
    const { venue, symbol } = series[0]!
    const here = and(
      ...[eq(t.fundingRates.venue, venue), eq(t.fundingRates.symbol, symbol)],
      inArray(
        t.fundingRates.fundingTime,
        series.map(({ fundingTime }) => fundingTime),
      ),
    )
    const locked = sql.select().from(t.fundingRates).where(here).orderBy(t.fundingRates.fundingTime)
    for (const row of await tx.forUpdate(locked)) known.set(keyOf(row), row)
  }
  return known
}

function mergeRate(known: FundingRow, said: FundingRow): RateWritten {
  const row: FundingRow = {
    ...said,
    intervalHours: said.intervalHours ?? known.intervalHours,
    markPrice: said.markPrice ?? known.markPrice,
    indexPrice: said.indexPrice ?? known.indexPrice,
    nextFundingTime: said.nextFundingTime ?? known.nextFundingTime,
  }
  if (known.rate !== said.rate) {
    return { row, result: isSettled(known) ? 'corrected' : 'revised', before: known.rate }
  }
  const isNew = DETAILS.some((name) => row[name] !== known[name]) || (isSettled(row) && !isSettled(known))
  return isNew ? { row, result: 'completed' } : { row: known, result: 'same' }
}

const DETAILS = ['intervalHours', 'markPrice', 'indexPrice', 'nextFundingTime'] as const

/** What is said in front of the settlement is an estimate. */
const isSettled = ({ updatedAt, fundingTime }: FundingRow) => updatedAt >= fundingTime

type Key = Pick<FundingRow, 'venue' | 'symbol' | 'fundingTime'>

/** No name has a `|`. */
export const keyOf = ({ venue, symbol, fundingTime }: Key): string => `${venue}|${symbol}|${fundingTime}`

const byKey = (a: Key, b: Key) =>
  compare(a.venue, b.venue) || compare(a.symbol, b.symbol) || a.fundingTime - b.fundingTime
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
