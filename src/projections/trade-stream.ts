// Trades as they end, appended once each to the stream that the reference defined and never wrote. A trade that is
// corrected later is not told again.
import { projections } from '../catalog/index.ts'
import { tradeJson } from './ledger-keys.ts'
import type { FilledTrade } from './read-ledger.ts'
import type { ProjectionWriter } from './writer.ts'

export const STREAM_MAX = projections.tradesStream.cap!
const AT_ONCE = 100

export interface TradeStream {
  /** Appended by this process: how far back trades have to be read. */
  isTold(id: string): boolean
  /** @param fresh in the order of their ends. */
  append(fresh: readonly FilledTrade[]): Promise<void>
  /** Somebody may have emptied the server: everything is offered again. */
  forget(): void
}

export function openTradeStream(writer: ProjectionWriter): TradeStream {
  const told = new Set<string>()
  const key = projections.tradesStream.key({})
  return {
    isTold: (id) => told.has(id),
    async append(fresh) {
      for (let at = 0; at < fresh.length; at += AT_ONCE) {
        const entries = fresh.slice(at, at + AT_ONCE).map((one) => ({
          ...{ id: one.trade.opportunityId, order: one.trade.completedAt ?? 0 },
          data: JSON.stringify(tradeJson(one)),
        }))
        await writer.append({ key, cap: STREAM_MAX, entries })
        for (const { id } of entries) told.add(id)
      }
      for (const id of told) {
        if (told.size <= STREAM_MAX) break
        told.delete(id)
      }
    },
    forget: () => told.clear(),
  }
}
