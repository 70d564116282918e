// Wins and losses of each account over all its trades. A sum of decimals is none of SQL, and reading every profit takes
// 0.4 s for 100,000 trades in SQLite and 1.3 s in Postgres (2 busy cores): so everything is read now and then, and
// otherwise only the newest, among which new trades and corrections are.
import { and, desc, gt, isNotNull, type Tx } from '../db/index.ts'
import { type Clock, type Decimal, decimal, ratio, ZERO } from '../kernel/index.ts'
import { quoteOf } from './read-ledger.ts'

export interface Statistics {
  readonly trades: number
  readonly wins: number
  /** A trade that earned nothing is lost, as the reference counts. */
  readonly losses: number
  readonly winSum: Decimal
  /** At most 0. */
  readonly lossSum: Decimal
  /** Mean of the trades' profits by their sample deviation; undefined below two trades, or where all are alike. */
  readonly sharpe: number | undefined
}

export interface StatisticsReader {
  /** By quote asset. What is booked late among older trades than the newest 1,000 is seen within ten minutes. */
  read(tx: Tx): Promise<ReadonlyMap<string, Statistics>>
}

const PAGE = 5_000
const NEWEST = 1_000
const READ_ALL_MS = 600_000
/** Of the deviation; more digits than a float64 has. */
const PLACES = 30

interface Row {
  readonly id: string
  readonly symbol: string
  readonly profit: string
}

export function openStatistics(clock: Clock): StatisticsReader {
  let sums = new Map<string, Sums>()
  /** The newest trades as they are counted. */
  let counted = new Map<string, Row>()
  let readAllAt = Number.NEGATIVE_INFINITY

  const readAll = async (tx: Tx, newest: readonly Row[]) => {
    const all = new Map<string, Sums>()
    await readEvery(tx, (row) => count(all, row, 1))
    sums = all
    counted = new Map(newest.map((row) => [row.id, row]))
    readAllAt = clock.monotonic()
  }
  const readNewest = (newest: readonly Row[]) => {
    for (const row of newest) {
      const before = counted.get(row.id)
      if (before?.profit === row.profit) continue
      if (before) count(sums, before, -1)
      count(sums, row, 1)
    }
    counted = new Map(newest.map((row) => [row.id, row]))
  }
  return {
    async read(tx) {
      const newest = await newestOf(tx)
      const isAhead = newest.length > 0 && !newest.some(({ id }) => counted.has(id))
      if (isAhead || clock.monotonic() - readAllAt >= READ_ALL_MS) await readAll(tx, newest)
      else readNewest(newest)
      return new Map([...sums].map(([asset, sum]) => [asset, statisticsOf(sum)]))
    },
  }
}

const fields = ({ opportunityId: id, symbol, profit }: Tx['t']['trades']) => ({ id, symbol, profit })

const newestOf = ({ sql, t: { trades } }: Tx): Promise<Row[]> =>
  sql
    .select(fields(trades))
    .from(trades)
    .where(isNotNull(trades.completedAt))
    .orderBy(desc(trades.completedAt), desc(trades.opportunityId))
    .limit(NEWEST)

async function readEvery({ sql, t: { trades } }: Tx, take: (row: Row) => void): Promise<void> {
  for (let after = ''; ; ) {
    const page = await sql
      .select(fields(trades))
      .from(trades)
      .where(and(isNotNull(trades.completedAt), gt(trades.opportunityId, after)))
      .orderBy(trades.opportunityId)
      .limit(PAGE)
    for (const row of page) take(row)
    if (page.length < PAGE) return
    after = page.at(-1)!.id
  }
}

/** Exact, so that they are the same in whatever order trades come. */
interface Sums {
  wins: number
  losses: number
  winSum: Decimal
  lossSum: Decimal
  squares: Decimal
}

function count(all: Map<string, Sums>, { symbol, profit }: Row, times: 1 | -1): void {
  const asset = quoteOf(symbol)
  const sums = all.get(asset) ?? { wins: 0, losses: 0, winSum: ZERO, lossSum: ZERO, squares: ZERO }
  all.set(asset, sums)
  const value = decimal(profit)
  if (value.gt(ZERO)) {
    sums.wins += times
    sums.winSum = sums.winSum.plus(value.times(times))
  } else {
    sums.losses += times
    sums.lossSum = sums.lossSum.plus(value.times(times))
  }
  sums.squares = sums.squares.plus(value.times(value).times(times))
}

function statisticsOf({ wins, losses, winSum, lossSum, squares }: Sums): Statistics {
  const trades = wins + losses
  const total = winSum.plus(lossSum)
  return { trades, wins, losses, winSum, lossSum, sharpe: sharpeOf(trades, total, squares) }
}

function sharpeOf(trades: number, total: Decimal, squares: Decimal): number | undefined {
  if (trades < 2) return undefined
  // (Σx² − (Σx)² / n) / (n − 1), with one division.
  const spread = squares.times(trades).minus(total.times(total))
  const deviation = Math.sqrt(Number(ratio(spread, decimal(trades).times(trades - 1), PLACES)))
  return deviation > 0 ? Number(ratio(total, decimal(trades), PLACES)) / deviation : undefined
}
