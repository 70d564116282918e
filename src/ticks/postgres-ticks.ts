// Ticks in Postgres, in partitions by day. Everything here may be repeated, so what a lost connection or a lost race
// leaves open is simply done again.
import pg from 'pg'
import { postgresError } from '../db/index.ts'
import { type Clock, isSluiceError, SluiceError, withoutPassword } from '../kernel/index.ts'
import { checkCount, checkTicks, isTickName, TIME_END } from './check-tick.ts'
import { DAY_MS, dayName, dayNumber } from './day-name.ts'
import { msOf, nanosText, READ, ROWS, type Row, tickOf } from './postgres-columns.ts'
import { createTables, partitionDays } from './postgres-tables.ts'
import { insertTicks } from './postgres-write.ts'
import type { Tick, TickQuery, TickSeries, TickStore } from './tick.ts'

export interface PostgresTicksOptions {
  /** postgres:// address. Schema and tables are made at the first use. */
  readonly url: string
  /** Connections at most. Default 4. */
  readonly pool?: number
  /** How long other writers may be in the way before DATABASE_BUSY, ms. Default 5,000. */
  readonly busyMs?: number
  readonly clock: Clock
}

// Counting a day of ten million ticks takes seconds.
const STATEMENT_MS = 60_000
const CONNECT_MS = 5_000
// What is repeated: a partition or table that somebody dropped (23514, 42P01, 3F000), and races (40001, 40P01).
const MISSING = ['23514', '42P01', '3F000']
const RACE = ['40001', '40P01']

interface Open {
  readonly pool: pg.Pool
  readonly where: string
  readonly clock: Clock
  readonly busyMs: number
  /** Days since 1970 whose partitions exist; undefined before the first use. */
  days: Set<number> | undefined
}

type Client = pg.PoolClient

/** Connects at the first use. */
export function openPostgresTicks({
  url,
  pool: max = 4,
  busyMs = 5_000,
  clock,
}: PostgresTicksOptions): TickStore {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    application_name: 'sluice-ticks',
    connectionTimeoutMillis: CONNECT_MS,
    idleTimeoutMillis: 30_000,
    lock_timeout: busyMs,
    statement_timeout: STATEMENT_MS,
    query_timeout: STATEMENT_MS + CONNECT_MS,
    idle_in_transaction_session_timeout: STATEMENT_MS,
    keepAlive: true,
  })
  // The pool drops a connection that breaks, and what was asked on it rejects; without listeners the process ended.
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => undefined))
  const open: Open = { pool, where: withoutPassword(url), clock, busyMs, days: undefined }
  let closing: Promise<void> | undefined
  return {
    async write(ticks) {
      checkTicks(ticks)
      if (ticks.length === 0) return { stored: 0, duplicate: 0 }
      const days = [...new Set(ticks.map(({ time }) => Math.floor(time / DAY_MS)))]
      return repeat(open, days, (client) => insertTicks(client, ticks))
    },
    async range(query) {
      checkCount(query.limit, 'limit')
      return canBe(query) ? read(open, query.symbol, rangeStatement(query)) : []
    },
    async recent(symbol, count, source) {
      checkCount(count, 'count')
      if (!canBe({ symbol, source })) return []
      return recent(open, symbol, count, source)
    },
    series: (day) => series(open, day),
    close() {
      closing ??= pool.end()
      return closing
    },
  }
}

/** Does the work on a connection, with the tables that it needs; again when `work` answers undefined. */
async function repeat<T>(
  open: Open,
  days: readonly number[],
  work: (client: Client) => Promise<T | undefined>,
) {
  const end = open.clock.monotonic() + open.busyMs
  for (let stale = open.pool.options.max; ; ) {
    const client = await connect(open)
    let broken = false
    try {
      await prepare(open, client, days)
      const value = await work(client)
      if (value !== undefined) return value
    } catch (error) {
      const failure = postgresError(error, open.where)
      const code = String(failure.facts['code'])
      broken = isSluiceError(failure, 'DATABASE_UNAVAILABLE') || !(await rolledBack(client))
      if (MISSING.includes(code)) open.days = undefined
      // After a restart of the server the pool still holds connections that died; the next may live.
      const again = MISSING.includes(code) || RACE.includes(code) || (broken && stale-- > 0)
      if (!again || open.clock.monotonic() > end) throw failure
    } finally {
      client.release(broken)
    }
    if (open.clock.monotonic() > end) {
      const message = `${open.where}: other writers of the same ticks were in the way for ${open.busyMs} ms.`
      throw new SluiceError('DATABASE_BUSY', message, { where: open.where, busyMs: open.busyMs })
    }
  }
}

async function connect({ pool, where }: Open): Promise<Client> {
  try {
    return await pool.connect()
  } catch (error) {
    throw postgresError(error, where)
  }
}

async function rolledBack(client: Client): Promise<boolean> {
  try {
    await client.query('rollback')
    return true
  } catch {
    return false
  }
}

async function prepare(open: Open, client: Client, days: readonly number[]): Promise<void> {
  const missing = days.filter((day) => !open.days?.has(day))
  if (open.days && missing.length === 0) return
  await createTables(client, missing)
  open.days ??= new Set()
  for (const day of missing) open.days.add(day)
}

/** Postgres would refuse a text that no tick has. */
const canBe = ({ symbol, source }: { symbol: string; source?: string | undefined }): boolean =>
  isTickName(symbol) && (source === undefined || isTickName(source))

interface Statement {
  readonly text: string
  readonly values: unknown[]
}

const read = async (open: Open, symbol: string, statement: Statement): Promise<Tick[]> =>
  repeat(open, [], async (client) => {
    const { rows } = await client.query<Row>({ ...statement, ...ROWS })
    return rows.map((row) => tickOf(symbol, row))
  })

function rangeStatement({ symbol, source, from, to, limit, after }: TickQuery): Statement {
  const values: unknown[] = [symbol, nanosOf(from), nanosOf(to)]
  const value = (one: unknown) => `$${values.push(one)}`
  const conditions = ['t.symbol = $1', 't.time >= $2', 't.time < $3']
  if (source !== undefined) conditions.push(`t.source = ${value(source)}`)
  if (after && after.time >= 0) {
    const time = value(after.time < TIME_END ? nanosText(after) : nanosOf(TIME_END))
    // The first condition follows from the second; partitions are left out by it alone.
    conditions.push(`t.time >= ${time}`)
    conditions.push(
      `(t.time, t.source, t.sequence) > (${time}, ${value(after.source)}, ${value(after.sequence)})`,
    )
  }
  const end = limit === undefined ? '' : `limit ${value(limit)}`
  const text = `select ${READ} from market.ticks t where ${conditions.join(' and ')}
    order by t.time, t.source, t.sequence ${end}`
  return { text, values }
}

// The planner looks at every partition that a statement does not exclude: 14 ms for 300. So the newest days are asked
// first, and twice as many each time until there is enough.
async function recent(
  open: Open,
  symbol: string,
  count: number,
  source: string | undefined,
): Promise<Tick[]> {
  return repeat(open, [], async (client) => {
    const days = await partitionDays(client)
    const newest: Tick[] = []
    for (let [at, width] = [0, 1]; at < days.length && newest.length < count; at += width, width *= 2) {
      const [last, first] = [days[at]!, days[Math.min(at + width, days.length) - 1]!]
      const values = [symbol, nanosOf(first * DAY_MS), nanosOf((last + 1) * DAY_MS), count - newest.length]
      const of = source === undefined ? '' : `and t.source = $${values.push(source)}`
      const text = `select ${READ} from market.ticks t where t.symbol = $1 and t.time >= $2 and t.time < $3 ${of}
        order by t.time desc, t.source desc, t.sequence desc limit $4`
      const { rows } = await client.query<Row>({ text, values, ...ROWS })
      for (const row of rows) newest.push(tickOf(symbol, row))
    }
    return newest.reverse()
  })
}

const SERIES = `select time / 86400000000000, symbol, source, count(*), min(time), max(time) from market.ticks`

async function series(open: Open, name: string | undefined): Promise<TickSeries[]> {
  const day = name === undefined ? undefined : dayNumber(name)
  if (name !== undefined && day === undefined) return []
  const values = day === undefined ? [] : [nanosOf(day * DAY_MS), nanosOf((day + 1) * DAY_MS)]
  const where = day === undefined ? '' : 'where time >= $1 and time < $2'
  const text = `${SERIES} ${where} group by 1, 2, 3 order by 1, 2, 3`
  return repeat(open, [], async (client) => {
    const { rows } = await client.query<string[]>({ text, values, ...ROWS })
    return rows.map(([number, symbol, source, ticks, first, last]) => ({
      day: dayName(Number(number)),
      symbol: symbol!,
      source: source!,
      ticks: Number(ticks),
      first: msOf(first!),
      last: msOf(last!),
    }))
  })
}

/** Any number of ms as a time in ns that an int64 holds. */
function nanosOf(time: number): string {
  return nanosText({ time: Math.min(Math.max(Math.ceil(time), 0), TIME_END), nanos: 0 })
}
