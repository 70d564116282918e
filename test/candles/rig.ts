// The candles of one process: what the worker runs, on a real bus, a real database and real files.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type OpenBus, openBus, openRelay, outgoing } from '../../src/bus/index.ts'
import type { CandleStore } from '../../src/candles/candle.ts'
import { openCsvCandles } from '../../src/candles/csv-candles.ts'
import { type CandleEvents, candleEmitter } from '../../src/candles/events.ts'
import type { TickInterval } from '../../src/candles/fold-bars.ts'
import { openSqlCandles } from '../../src/candles/sql-candles.ts'
import { candleTasks } from '../../src/candles/tasks.ts'
import { marketQuotes, type QuoteMessage, STREAMS } from '../../src/catalog/index.ts'
import { openDatabase } from '../../src/db/index.ts'
import { runTasks, systemClock } from '../../src/kernel/index.ts'
import type { TestDatabase } from '../support/database.ts'
import { nameOf, type PlainBar, quoted, type TestTick } from './ticks.ts'

type Said = { [K in keyof CandleEvents]: Parameters<CandleEvents[K]>[0][] }

export interface CandleProcess {
  readonly said: Said
  /** Finishes what it holds. */
  stop(): Promise<void>
  /** Breaks off, as a process that is killed: nothing is acknowledged or let go any more. */
  kill(): Promise<void>
}

export function openFiles() {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-candles-'))
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) }
}

export function startCandles(
  url: string,
  { options }: TestDatabase,
  dir: string,
  phase: { writesFiles: boolean } = { writesFiles: true },
): CandleProcess {
  const clock = systemClock
  const bus = openBus({ url, clock, leaseMs: 600 })
  const db = openDatabase(options)
  const relay = openRelay({ bus, database: db, streams: STREAMS })
  const events = candleEmitter()
  const said: Said = { refused: [], late: [], kept: [], projected: [], delayed: [], resumed: [], unkept: [] }
  for (const name of Object.keys(said) as (keyof CandleEvents)[]) {
    events.on(name, (fact) => void (said[name] as unknown[]).push(fact))
  }
  const into = openCsvCandles({ dir, clock })
  const writeLegacy = async (work: () => Promise<void>) => void (phase.writesFiles && (await work()))
  const from = openSqlCandles({ database: db, clock })
  const tasks = candleTasks({ bus, clock, db, events, nudge: relay.nudge, from, into, writeLegacy })
  const controller = new AbortController()
  const done = runTasks([...tasks, relay.task], controller.signal)
  done.catch(() => {})
  const close = async () => {
    await bus.close()
    await into.close()
    await db.close()
  }
  return {
    said,
    async stop() {
      controller.abort()
      await done
      await close()
    },
    async kill() {
      await bus.close()
      controller.abort()
      await done.catch(() => {})
      await close()
    },
  }
}

export const hear = (bus: OpenBus, ticks: readonly TestTick[]) =>
  bus.publish(
    ticks.map((tick) => {
      const { data, time } = quoted(tick)
      const { heardAt = 0, ...content } = tick
      return outgoing<QuoteMessage>(marketQuotes, `${JSON.stringify(content)} ${heardAt}`, data, { time })
    }),
  )

/** The venue says that its time has come this far: bars of the symbol that are over by then are closed. */
export const hearNothing = (bus: OpenBus, symbol: string, time: number) =>
  bus.publish([
    outgoing(
      marketQuotes,
      `nothing ${symbol} ${time}`,
      { venue: 'alpha', board: symbol, quotes: [], simulated: false },
      { time },
    ),
  ])

/** What a store has of a series, without its columns, by (interval, time). */
export async function barsIn(store: CandleStore, ticker: string, intervals: readonly TickInterval[]) {
  const bars = new Map<string, PlainBar>()
  for (const interval of intervals) {
    for (const bar of await store.range({ source: 'alpha', ticker, interval })) {
      const { time, open, high, low, close, volume } = bar
      bars.set(nameOf({ interval, time }), { interval, time, open, high, low, close, volume })
    }
  }
  return bars
}
