// The keys of what is configured (venues and what they trade) and of the opportunities that live now.
import { latestOpportunities } from '../arbitrage/index.ts'
import { type ProjectionFamily, projections } from '../catalog/index.ts'
import type { Database } from '../db/index.ts'
import { type Clock, decimalText, isoTime } from '../kernel/index.ts'
import type { VenueSpec, VenueTable } from '../venues/index.ts'
import type { ProjectionSource } from './source.ts'
import type { ProjectionWriter, Put } from './writer.ts'

export interface TableSourceOptions {
  readonly writer: ProjectionWriter
  readonly database: Database
  readonly venues: VenueTable
  readonly clock: Clock
  readonly families: ReadonlySet<ProjectionFamily>
}

const LOOK_MS = 500
// A third of the shortest lifetime.
const RENEW_MS = projections.latestOpportunities.lifetimeMs / 3

export function openTableSource(options: TableSourceOptions): ProjectionSource {
  const { writer, database, venues, clock, families } = options
  const read = async () => {
    const { cap } = projections.latestOpportunities
    const rows = await database.read((tx) => latestOpportunities(tx, cap!))
    return JSON.stringify(rows.filter(({ closedAt }) => closedAt === null).map(opportunityJson))
  }
  const writeOpportunities = async (version: number, value: string) => {
    if (!families.has('market')) return
    const { key, lifetimeMs } = projections.latestOpportunities
    await writer.put({ key: key({}), version, lifetimeMs, content: { type: 'string', value } })
  }
  const writeTables = async (version: number) => {
    for (const put of tableKeys(venues, families)) await writer.put({ ...put, version })
  }
  return {
    name: 'tables',
    async rebuild() {
      const version = await writer.ticket()
      await writeTables(version)
      await writeOpportunities(version, await read())
      return true
    },
    async keep(signal, { onCurrent } = {}) {
      let last: string | undefined
      let writtenAt = Number.NEGATIVE_INFINITY
      while (!signal.aborted) {
        const version = await writer.ticket()
        const now = await read()
        const isDue = clock.monotonic() - writtenAt >= RENEW_MS
        if (isDue) await writeTables(version)
        if (isDue || now !== last) {
          await writeOpportunities(version, now)
          last = now
          if (isDue) writtenAt = clock.monotonic()
        }
        onCurrent?.()
        await clock.sleep(LOOK_MS, signal)
      }
    },
  }
}

/** Float64 estimates of the detector, as everywhere before something is traded. */
const opportunityJson = (row: Awaited<ReturnType<typeof latestOpportunities>>[number]) => ({
  ...{ id: row.id, symbol: row.symbol, buy_exchange: row.buyVenue, sell_exchange: row.sellVenue },
  ...{ buy_price: row.buyPrice, sell_price: row.sellPrice, profit_percentage: row.edgeBps / 100 },
  ...{ volume: row.quantity, estimated_profit: row.profit, detected_at: isoTime(row.openedAt) },
})

type Unversioned = Omit<Put, 'version'>

const json = (key: string, { lifetimeMs }: { lifetimeMs: number }, value: unknown): Unversioned => ({
  ...{ key, lifetimeMs, content: { type: 'string', value: JSON.stringify(value) } },
})

function tableKeys(venues: VenueTable, families: ReadonlySet<ProjectionFamily>): Unversioned[] {
  const { supportedExchanges, symbolList } = projections
  const names = [...venues.names()].sort()
  const specs = names.map((name) => venues.require(name))
  const assets = families.has('nof0') ? specs.flatMap(assetKeys) : []
  if (!families.has('market')) return assets
  return [
    ...assets,
    json(supportedExchanges.key({}), supportedExchanges, names),
    ...specs.map(({ name, symbols }) =>
      json(symbolList.key({ exchange: name }), symbolList, [...symbols].sort()),
    ),
    ...specs.flatMap(pairKeys),
  ]
}

/** There is no margin on paper. */
function assetKeys(spec: VenueSpec): Unversioned[] {
  const { marketAsset } = projections
  return spec.symbols.map((symbol) => {
    const [, places = ''] = decimalText(spec.instrument(symbol).lot).split('.')
    return json(marketAsset.key({ provider: spec.name, symbol }), marketAsset, {
      ...{ provider: spec.name, symbol, name: symbol, sz_decimals: places.length, max_leverage: 1 },
      ...{ only_isolated: true, margin_table_id: null, is_delisted: false },
    })
  })
}

function pairKeys(spec: VenueSpec): Unversioned[] {
  const { tradingPair } = projections
  return spec.symbols.map((symbol) => {
    const { base, quote, tick, lot, minQuantity, minNotional } = spec.instrument(symbol)
    return json(tradingPair.key({ exchange: spec.name, symbol }), tradingPair, {
      ...{ exchange: spec.name, symbol, base_currency: base, quote_currency: quote, is_active: true },
      ...{ price_step: decimalText(tick), quantity_step: decimalText(lot) },
      ...{ min_order_size: decimalText(minQuantity), min_notional: decimalText(minNotional) },
      taker_fee: spec.takerFeeBps / 10_000,
    })
  })
}
