// Funding as venues say it, and the tables as they are afterwards.
import type { FundingEvent, FundingRow } from '../../src/catalog/index.ts'
import type { Tx } from '../../src/db/index.ts'

export type RateEvent = Extract<FundingEvent, { type: 'funding' }>
export type ContextEvent = Extract<FundingEvent, { type: 'context' }>

export const HOUR = 3_600_000
export const SETTLED = Date.UTC(2026, 0, 19, 8)

export const aRate = (more: Partial<RateEvent> = {}): RateEvent => ({
  ...{ type: 'funding', venue: 'alpha', symbol: 'BTC/USDT', fundingTime: SETTLED, rate: '0.0001' },
  ...{ intervalHours: null, markPrice: null, indexPrice: null, nextFundingTime: null, time: SETTLED + 1 },
  ...more,
})

/** As it is kept. */
export function aRow(more: Partial<RateEvent> = {}): FundingRow {
  const { type: _, time: updatedAt, ...rate } = aRate(more)
  return { ...rate, updatedAt }
}

export const aContext = (more: Partial<ContextEvent> = {}): ContextEvent => ({
  ...{ type: 'context', venue: 'alpha', symbol: 'BTC/USDT', funding: '0.0000125', openInterest: '688.11' },
  ...{ oraclePrice: '64000.5', markPrice: '64001', midPrice: null, impactPrices: ['63999', '64002.1'] },
  ...{ previousDayPrice: null, dayNotionalVolume: '1169046.29406', dayBaseVolume: '18.25', time: SETTLED },
  ...more,
})

export async function emptyTables({ sql, t }: Tx): Promise<void> {
  for (const table of [t.fundingRates, t.assetContexts, t.inbox, t.outbox]) await sql.delete(table)
}
