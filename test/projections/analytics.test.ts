// The formulas give what the contest has answered about its own trades.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { projections } from '../../src/catalog/index.ts'
import { decimal, systemClock } from '../../src/kernel/index.ts'
import { bookEvent } from '../../src/ledger/book-event.ts'
import { analyticsJson } from '../../src/projections/analytics.ts'
import { openAnalyticsSource } from '../../src/projections/analytics-source.ts'
import { aFill, anEnd, told } from '../ledger/events.ts'
import { drivers, openTestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { recording } from '../support/recordings.ts'
import { openReader } from './rig.ts'

interface Recorded {
  readonly id: string
  readonly model_id: string
  readonly side: string
  readonly realized_net_pnl: number
  readonly realized_gross_pnl: number
  readonly total_commission_dollars: number
  readonly entry_price: number
  readonly quantity: number
  readonly entry_time: number
  readonly exit_time: number
}
type Tables = Record<string, Record<string, number | null> | number | string | null>

const nof0 = recording('nof0')
const read = <T>(name: string) => JSON.parse(readFileSync(join(nof0!, `${name}.json`), 'utf8')) as T

it.skipIf(!nof0).each(['gpt-5', 'grok-4', 'qwen3-max'])('of %s are those that were recorded', (model) => {
  const { trades } = read<{ trades: Recorded[] }>('trades')
  const { analytics } = read<{ analytics: Tables[] }>(`analytics-${model}`)
  const closed = trades
    .filter(({ model_id: of }) => of === model)
    .map((one) => ({
      ...{ id: one.id, isLong: one.side === 'long', net: decimal(one.realized_net_pnl) },
      ...{ gross: decimal(one.realized_gross_pnl), fees: decimal(one.total_commission_dollars) },
      notional: Math.abs(one.entry_price * one.quantity),
      minutes: (one.exit_time - one.entry_time) / 60,
      exitTime: one.exit_time * 1_000,
    }))
  const made = JSON.parse(JSON.stringify(analyticsJson(model, closed))) as Tables
  let compared = 0
  for (const [name, table] of Object.entries(made)) {
    const recorded = analytics[0]![name]
    if (table === null || typeof table !== 'object' || recorded === null || typeof recorded !== 'object')
      continue
    for (const [field, value] of Object.entries(table)) {
      expect(recorded, `${name}.${field}`).toHaveProperty(field)
      if (value === null) continue
      compared++
      const expected = recorded![field]!
      expect(Math.abs(value - expected), `${name}.${field}: ${value} for ${expected}`).toBeLessThanOrEqual(
        1e-9 * Math.max(1, Math.abs(expected)),
      )
    }
  }
  expect(compared).toBe(46)
  expect(made['last_trade_exit_time']).toBe(analytics[0]!['last_trade_exit_time'])
})

it.each(drivers)('on %s are kept from the trades that are booked', async (driver) => {
  const test = await openTestDatabase(driver)
  const reader = await openReader()
  let booked = 0
  const book = async (...events: Parameters<typeof told>[0][]) => {
    for (const event of events) await test.database.write((tx) => bookEvent(tx, told(event).eventId, event))
    booked++
  }
  const stop = new AbortController()
  const source = openAnalyticsSource({
    ...{ writer: reader.writer, database: test.database, clock: systemClock },
    state: async () => String(booked),
  })
  const { analytics, allAnalytics } = projections
  const seen = async (key: string) => JSON.parse((await reader.client.get(key)) ?? 'null')
  const keeping = source.keep(stop.signal)
  await eventually(async () => (await seen(allAnalytics.key({}))) !== null)
  await book(
    aFill(),
    aFill({
      id: 'order-2:0',
      clientOrderId: 'order-2',
      leg: 1,
      venue: 'beta',
      side: 'sell',
      price: '103',
      time: 61_000,
    }),
    anEnd({ time: 61_000 }),
  )
  const mine = () => seen(analytics.key({ model: 'sluice-USDT' }))
  await eventually(mine)
  stop.abort()
  await keeping
  expect(await mine()).toMatchObject({
    model_id: 'sluice-USDT',
    fee_pnl_moves_breakdown_table: { overall_pnl_with_fees: 2.8, total_fees_paid: 0.2, std_net_pnl: 0 },
    overall_trades_overview_table: {
      total_trades: 1,
      avg_holding_period_mins: 1,
      avg_size_of_trade_notional: 100,
    },
  })
  expect(await seen(allAnalytics.key({}))).toEqual([await mine()])
  await reader.close()
  await test.close()
})
