// One execution from beginning to end in a test: two venues of its own, one opportunity, and what came of it as
// plain values in which the story's own names are replaced, so that two stories can be compared.
import {
  arbitrageEmitter,
  type ExecutorOptions,
  openExecutor,
  seedInventory,
} from '../../src/arbitrage/index.ts'
import { enqueue, RetryAfter } from '../../src/bus/index.ts'
import { type Opportunity, opportunity } from '../../src/catalog/index.ts'
import { asc, type Database, eq } from '../../src/db/index.ts'
import { decimal, deriveId, systemClock } from '../../src/kernel/index.ts'
import type { Locks } from '../../src/locks/index.ts'
import type { Instrument } from '../../src/venues/index.ts'
import { type Script, type ScriptedVenue, scriptedVenue } from './scripted-venue.ts'

export const BALANCES = 'USDT=10000,BTC=5'
export const OPENED_AT = 1_700_000_000_000

export const btc: Instrument = {
  symbol: 'BTC/USDT',
  base: 'BTC',
  quote: 'USDT',
  tick: decimal('0.01'),
  lot: decimal('0.001'),
  minQuantity: decimal('0.001'),
  minNotional: decimal('5'),
}

export interface Story {
  readonly opportunity: Opportunity
  readonly buy: ScriptedVenue
  readonly sell: ScriptedVenue
  readonly options: ExecutorOptions
  /** Delivers the opportunity until it is done, at most ten times; returns how often. */
  deliver(more?: Partial<ExecutorOptions>): Promise<number>
  /** Everything that the execution left behind. */
  outcome(): Promise<Record<string, unknown>>
}

export interface StoryOptions {
  readonly name: string
  readonly database: Database
  readonly locks: Locks
  readonly buy?: Partial<Script>
  readonly sell?: Partial<Script>
  readonly change?: Partial<Opportunity>
  readonly instruments?: { buy?: Partial<Instrument>; sell?: Partial<Instrument> }
}

/** Buys at 100, sells at 101, one BTC, both legs filled at their limits unless the script says otherwise. */
export async function openStory(given: StoryOptions): Promise<Story> {
  const { name, database, locks } = given
  const full: Script = { fills: (order) => [[Number(order.limitPrice ?? 100), Number(order.quantity)]] }
  const [buyName, sellName] = [`${name}-buy`, `${name}-sell`]
  const buy = scriptedVenue(buyName, { ...btc, ...given.instruments?.buy }, { ...full, ...given.buy })
  const sell = scriptedVenue(sellName, { ...btc, ...given.instruments?.sell }, { ...full, ...given.sell })
  const seen = { ...opportunityOf(name, buyName, sellName), ...given.change }
  await database.write((tx) => seedInventory(tx, [buyName, sellName], BALANCES))
  const options: ExecutorOptions = {
    database,
    locks,
    clock: systemClock,
    venue: (venue) => [buy, sell].find((v) => v.spec.name === venue),
    sources: async () => undefined,
    time: 'event',
    maxAgeMs: 2_000,
    maxAheadMs: 1_000,
    minEdgeBps: 0,
    maxNotional: decimal(50_000),
    enqueue,
    events: arbitrageEmitter(),
    patienceMs: 400,
  }
  return {
    opportunity: seen,
    buy,
    sell,
    options,
    deliver: (more = {}) => deliverUntilDone({ ...options, ...more }, seen),
    outcome: () => outcomeOf(database, seen, [buy, sell]),
  }
}

export function opportunityOf(name: string, buyVenue: string, sellVenue: string): Opportunity {
  const source = (venue: string) => ({
    venue,
    stream: 'market.quotes',
    partition: 0,
    entry: '1-0',
    eventId: `quote:${venue}`,
    quoteTime: OPENED_AT,
  })
  return opportunity.parse({
    id: `opportunity:${name}`,
    phase: 'opened',
    symbol: 'BTC/USDT',
    buyVenue,
    sellVenue,
    openedAt: OPENED_AT,
    lastSeenAt: OPENED_AT,
    reason: 'open',
    buyPrice: 100,
    sellPrice: 101,
    buyFeeBps: 10,
    sellFeeBps: 10,
    edgeBps: 79,
    bestEdgeBps: 79,
    quantity: 1,
    profit: 0.799,
    buyLimit: 100,
    sellLimit: 101,
    simulated: true,
    sources: [source(buyVenue), source(sellVenue)],
  })
}

async function deliverUntilDone(options: ExecutorOptions, seen: Opportunity): Promise<number> {
  const execute = openExecutor(options)
  for (let delivery = 1; delivery <= 10; delivery++) {
    try {
      await execute(seen, new AbortController().signal)
      return delivery
    } catch (error) {
      if (!(error instanceof RetryAfter)) throw error
    }
  }
  throw new Error('not done after ten deliveries')
}

async function outcomeOf(database: Database, seen: Opportunity, venues: readonly ScriptedVenue[]) {
  const { id, buyVenue, sellVenue } = seen
  const rows = await database.read(async ({ sql, t }) => ({
    executions: await sql.select().from(t.executions).where(eq(t.executions.opportunityId, id)),
    intents: await sql
      .select()
      .from(t.intents)
      .where(eq(t.intents.opportunityId, id))
      .orderBy(asc(t.intents.leg)),
    reservations: await sql.select().from(t.reservations).where(eq(t.reservations.opportunityId, id)),
    inventory: await sql.select().from(t.inventory).orderBy(asc(t.inventory.venue), asc(t.inventory.asset)),
    outbox: await sql.select().from(t.outbox).orderBy(asc(t.outbox.id)),
  }))
  const mine = [buyVenue, sellVenue]
  const outcome = {
    executions: rows.executions.map(({ token, holder, ...row }) => row),
    intents: rows.intents.map(({ token, ...row }) => row),
    reservations: rows.reservations,
    inventory: rows.inventory.filter((row) => mine.includes(row.venue)),
    told: rows.outbox
      .map((row) => ({
        target: row.target,
        eventId: row.eventId,
        type: row.type,
        data: JSON.parse(row.data),
      }))
      .filter((row) => row.data.opportunityId === id),
    taken: venues.flatMap((venue) => [...venue.taken.values()].map(({ order }) => order)),
    repeated: venues.flatMap((venue) => venue.repeated),
  }
  return withoutNames(outcome, seen)
}

function withoutNames(outcome: unknown, { id, buyVenue, sellVenue }: Opportunity): Record<string, unknown> {
  let text = JSON.stringify(outcome)
  for (let leg = 0; leg < 5; leg++) text = text.replaceAll(deriveId(id, leg), `order ${leg}`)
  return JSON.parse(
    text.replaceAll(id, 'the opportunity').replaceAll(buyVenue, 'buyer').replaceAll(sellVenue, 'seller'),
  )
}
