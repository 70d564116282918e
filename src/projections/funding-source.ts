// The keys of funding rates and of the state of perpetual contracts. Readers of these keys take what is there for what
// is true now, so what nobody has said anew for long is not written, and ends.
import { type ContextRow, type FundingRow, type ProjectionFamily, projections } from '../catalog/index.ts'
import type { Database } from '../db/index.ts'
import { contextsOf, latestFundingOf } from '../funding/index.ts'
import { type Clock, decimal, isoTime } from '../kernel/index.ts'
import { jsonNumber } from './json-number.ts'
import type { ProjectionSource } from './source.ts'
import type { ProjectionWriter, Put } from './writer.ts'

export interface FundingSourceOptions {
  readonly writer: ProjectionWriter
  readonly database: Database
  readonly clock: Clock
  readonly families: ReadonlySet<ProjectionFamily>
}

const LOOK_MS = 500
// A third of the lifetime that all of them have.
const RENEW_MS = projections.fundingLatest.lifetimeMs / 3
// As long as the reference keeps rates.
const RATE_MAX_MS = 36 * 3_600_000
// The pace of the slowest collector of the reference.
const CONTEXT_MAX_MS = 15 * 60_000

export function openFundingSource({
  writer,
  database,
  clock,
  families,
}: FundingSourceOptions): ProjectionSource {
  const read = async () => {
    const facts = await database.read(async (tx) => ({
      rates: families.has('market') ? await latestFundingOf(tx) : [],
      contexts: families.has('nof0') ? await contextsOf(tx) : [],
    }))
    const now = clock.now()
    const rates = facts.rates.filter(({ fundingTime }) => fundingTime >= now - RATE_MAX_MS)
    const contexts = facts.contexts.filter(({ updatedAt }) => updatedAt >= now - CONTEXT_MAX_MS)
    return new Map([...(families.has('market') ? rateKeys(rates) : []), ...contextKeys(contexts)])
  }
  const write = (version: number, key: string, value: string) => writer.put(putOf(version, key, value))
  return {
    name: 'funding',
    async rebuild() {
      const version = await writer.ticket()
      for (const [key, value] of await read()) await write(version, key, value)
      return true
    },
    async keep(signal, { onCurrent } = {}) {
      let last: ReadonlyMap<string, string> = new Map()
      let writtenAt = Number.NEGATIVE_INFINITY
      while (!signal.aborted) {
        const version = await writer.ticket()
        const now = await read()
        const beganAt = clock.monotonic()
        const isDue = beganAt - writtenAt >= RENEW_MS
        for (const [key, value] of now) if (isDue || last.get(key) !== value) await write(version, key, value)
        last = now
        if (isDue) writtenAt = beganAt
        onCurrent?.()
        await clock.sleep(LOOK_MS, signal)
      }
    },
  }
}

type KeyValue = readonly [key: string, value: string]

const putOf = (version: number, key: string, value: string): Put => ({
  ...{ key, version, lifetimeMs: projections.fundingLatest.lifetimeMs },
  content: { type: 'string', value },
})

/** A reader may ask for any set of symbols; each by itself and all together are finite. */
function rateKeys(rates: readonly FundingRow[]): KeyValue[] {
  const { fundingLatest, fundingOfExchange, fundingOfSymbols } = projections
  const json = (rows: readonly FundingRow[]) => JSON.stringify(rows.map(rateJson))
  const ofVenues = [...Map.groupBy(rates, ({ venue }) => venue)].flatMap(([exchange, rows]): KeyValue[] => {
    const symbols = rows.map(({ symbol }) => symbol).sort()
    return [
      [fundingOfExchange.key({ exchange }), json(rows)],
      [fundingOfSymbols.key({ exchange, symbols: symbols.join(',') }), json(rows)],
      ...rows.map((row): KeyValue => [fundingOfSymbols.key({ exchange, symbols: row.symbol }), json([row])]),
    ]
  })
  return [[fundingLatest.key({}), json(rates)], ...ofVenues]
}

const rateJson = (row: FundingRow) => ({
  ...{ exchange: row.venue, symbol: row.symbol, funding_rate: exact(row.rate) },
  ...{ funding_time: isoTime(row.fundingTime), next_funding_time: timeOrNull(row.nextFundingTime) },
  ...{ mark_price: exact(row.markPrice), index_price: exact(row.indexPrice) },
  ...{ funding_interval: row.intervalHours, timestamp: isoTime(row.updatedAt) },
})

const contextKeys = (contexts: readonly ContextRow[]): KeyValue[] =>
  contexts.map((row) => [
    projections.marketContext.key({ provider: row.venue, symbol: row.symbol }),
    JSON.stringify(contextJson(row)),
  ])

const contextJson = (row: ContextRow) => ({
  ...{ provider: row.venue, symbol: row.symbol, funding: exact(row.funding) },
  ...{ open_interest: exact(row.openInterest), oracle_px: exact(row.oraclePrice) },
  ...{ mark_px: exact(row.markPrice), mid_px: exact(row.midPrice) },
  ...{ impact_pxs: row.impactPrices?.map(exact) ?? null, prev_day_px: exact(row.previousDayPrice) },
  ...{ day_ntl_vlm: exact(row.dayNotionalVolume), day_base_vlm: exact(row.dayBaseVolume) },
  updated_at: isoTime(row.updatedAt),
})

const exact = (text: string | null) => (text === null ? null : jsonNumber(decimal(text)))
const timeOrNull = (time: number | null) => (time === null ? null : isoTime(time))
