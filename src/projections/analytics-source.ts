// The analytics of each account. They need every trade, so they have a pace of their own and hold up no other key.
import { setImmediate } from 'node:timers/promises'
import { projections } from '../catalog/index.ts'
import { and, type Database, gt, isNotNull, type Tx } from '../db/index.ts'
import { type Clock, decimal } from '../kernel/index.ts'
import { analyticsJson, type ClosedTrade } from './analytics.ts'
import { keepState } from './keep-state.ts'
import { closedPart, modelOf } from './ledger-keys.ts'
import { quoteOf } from './read-ledger.ts'
import type { ProjectionSource } from './source.ts'
import type { ProjectionWriter } from './writer.ts'

export interface AnalyticsSourceOptions {
  readonly writer: ProjectionWriter
  readonly database: Database
  readonly clock: Clock
  /** Another text after each booking. */
  readonly state: () => Promise<string>
}

const PACE = { lookMs: 500, renewMs: projections.analytics.lifetimeMs / 3, pauseFactor: 20 }
const PAGE = 5_000

export function openAnalyticsSource(options: AnalyticsSourceOptions): ProjectionSource {
  const { writer, database, clock, state } = options
  const write = async () => {
    const version = await writer.ticket()
    const byAsset = await database.read(readClosed)
    const rows = [...byAsset].sort().map(([asset, trades]) => {
      const id = modelOf(asset)
      return { id, row: analyticsJson(id, trades) }
    })
    const put = (key: string, { lifetimeMs }: { readonly lifetimeMs: number }, value: unknown) =>
      writer.put({ key, version, lifetimeMs, content: { type: 'string', value: JSON.stringify(value) } })
    const { analytics, allAnalytics } = projections
    for (const { id, row } of rows) await put(analytics.key({ model: id }), analytics, row)
    await put(
      allAnalytics.key({}),
      allAnalytics,
      rows.map(({ row }) => row),
    )
  }
  return {
    name: 'analytics',
    async rebuild() {
      await write()
      return true
    },
    keep: (signal, listener) => keepState({ clock, state, ...PACE }, write, signal, listener),
  }
}

async function readClosed({ sql, t: { trades } }: Tx): Promise<Map<string, ClosedTrade[]>> {
  const byAsset = new Map<string, ClosedTrade[]>()
  for (let after = ''; ; ) {
    const page = await sql
      .select()
      .from(trades)
      .where(and(isNotNull(trades.completedAt), gt(trades.opportunityId, after)))
      .orderBy(trades.opportunityId)
      .limit(PAGE)
    for (const row of page) {
      const asset = quoteOf(row.symbol)
      const list = byAsset.get(asset) ?? []
      byAsset.set(asset, list)
      list.push(closedOf(row))
    }
    if (page.length < PAGE) return byAsset
    after = page.at(-1)!.opportunityId
    // SQLite answers within the call: 200,000 trades held up everything else for 2.4 s.
    await setImmediate()
  }
}

/** Bought is the entry, so every trade of an arbitrage is long. */
function closedOf(row: Tx['t']['trades']['$inferSelect']): ClosedTrade {
  const [net, fees] = [decimal(row.profit), decimal(row.fees)]
  const exitTime = row.completedAt ?? row.openedAt
  return {
    ...{ id: row.opportunityId, isLong: true, net, fees, gross: net.plus(fees) },
    ...{ notional: Number(closedPart(row).bought), minutes: (exitTime - row.openedAt) / 60_000, exitTime },
  }
}
