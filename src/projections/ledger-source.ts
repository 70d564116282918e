// The keys of the ledger: positions, trades, leaderboard, curves, and the orders and balances of the paper venues.
import { type EquityRow, projections } from '../catalog/index.ts'
import type { Database, Tx } from '../db/index.ts'
import type { Clock } from '../kernel/index.ts'
import { keepState } from './keep-state.ts'
import {
  accountKey,
  balanceKeys,
  leaderboardKeys,
  ordersKey,
  recentTradesKey,
  sinceInceptionKey,
} from './ledger-keys.ts'
import {
  type FilledTrade,
  readAccounts,
  readCurve,
  readNewTrades,
  readOrders,
  readRecentTrades,
} from './read-ledger.ts'
import type { ProjectionSource } from './source.ts'
import { openStatistics, type StatisticsReader } from './statistics.ts'
import { openTradeStream, STREAM_MAX, type TradeStream } from './trade-stream.ts'
import type { ProjectionWriter } from './writer.ts'

export interface LedgerSourceOptions {
  readonly writer: ProjectionWriter
  readonly database: Database
  readonly clock: Clock
  /** Another text after each booking. Cheap: it is asked four times a second. */
  readonly state: () => Promise<string>
}

const PACE = {
  lookMs: 250,
  // A third of the shortest lifetime.
  renewMs: projections.positions.lifetimeMs / 3,
  // No more than a fifth of a process goes into it, however many trades there are.
  pauseFactor: 4,
}

export function openLedgerSource(options: LedgerSourceOptions): ProjectionSource {
  const { writer, database, clock, state } = options
  const stream = openTradeStream(writer)
  let statistics = openStatistics(clock)

  async function write(): Promise<void> {
    const version = await writer.ticket()
    const facts = await database.read((tx) => readLedger(tx, stream, statistics))
    for (const put of keysOf(facts)) await writer.put({ ...put, version })
    await stream.append(facts.fresh.reverse())
  }
  const forget = () => {
    statistics = openStatistics(clock)
    stream.forget()
  }
  return {
    name: 'ledger',
    async rebuild() {
      forget()
      await write()
      return true
    },
    async keep(signal, listener) {
      forget()
      await keepState({ clock, state, ...PACE }, write, signal, listener)
    },
  }
}

async function readLedger(tx: Tx, stream: TradeStream, statistics: StatisticsReader) {
  const { accounts, balances } = await readAccounts(tx)
  const recent = new Map<string, FilledTrade[]>()
  const curves = new Map<string, EquityRow[]>()
  for (const { asset, symbols } of accounts) {
    recent.set(asset, await readRecentTrades(tx, symbols, projections.recentTrades.cap!))
    curves.set(asset, await readCurve(tx, asset, projections.sinceInception.cap!))
  }
  const traders = [...new Set(balances.map(({ venue }) => venue))]
  return {
    ...{ accounts, balances, recent, curves },
    statistics: await statistics.read(tx),
    fresh: await readNewTrades(tx, { atMost: STREAM_MAX, isKnown: stream.isTold }),
    orders: await readOrders(tx, traders, projections.simOrders.cap!),
  }
}

function keysOf(facts: Awaited<ReturnType<typeof readLedger>>) {
  const { accounts, balances, recent, statistics, curves, orders } = facts
  const standings = accounts.map((account) => ({ account, statistics: statistics.get(account.asset) }))
  return [
    ...accounts.flatMap((account) => [
      accountKey(account),
      recentTradesKey(account, recent.get(account.asset)!),
      sinceInceptionKey(account, curves.get(account.asset)!),
    ]),
    ...leaderboardKeys(standings),
    ...balanceKeys(balances),
    ...[...orders].map(([venue, rows]) => ordersKey(venue, rows)),
  ]
}
