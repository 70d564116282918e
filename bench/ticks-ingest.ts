// Ticks of 128 symbols into the open day, and what the main loop feels of it.
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { systemClock } from '../src/kernel/index.ts'
import { batchOf } from '../src/ticks/batch.ts'
import { openTickFiles } from '../src/ticks/sqlite-files.ts'
import type { Tick, Written } from '../src/ticks/tick.ts'
import { openTickWriter, type TickWriter } from '../src/ticks/writer.ts'
import { feedOf } from './ticks-feed.ts'
import { openLean, openReference, type RowTable } from './ticks-reference.ts'
import { inFolder } from './ticks-stage.ts'

const LIST = 500
const SYMBOLS = 128
const EVERY_MS = 10
const ROUND_MS = 2_000 * EVERY_MS
const lists = feedOf({ symbols: SYMBOLS, ticks: ROUND_MS / EVERY_MS, everyMs: EVERY_MS }, LIST)
const TICKS = lists.reduce((sum, list) => sum + list.length, 0)
const TIMES = 24
const BATCH = 32_768

const later = (list: readonly Tick[], times: number): Tick[] =>
  list.map((tick) => ({ ...tick, time: tick.time + times * ROUND_MS }))
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** ticks/s until the last is durable: six million, in lists of 500, through the queue and the thread. */
export const ingest = (): Promise<number> =>
  inFolder(async (dir) => {
    const writer = await warmWriter(dir)
    const startedAt = performance.now()
    const adds: Promise<Written>[] = []
    for (let times = 0; times < TIMES; times++) {
      for (const list of lists) {
        adds.push(writer.add(later(list, times)))
        await writer.ready()
        await turn()
      }
    }
    const stored = (await Promise.all(adds)).reduce((sum, one) => sum + one.stored, 0)
    const rate = stored / (performance.now() - startedAt)
    await writer.close()
    // Neither lost nor thrown away as a duplicate.
    if (stored !== TICKS * TIMES) throw new Error(`${stored} of ${TICKS * TIMES} ticks were stored`)
    return rate * 1_000
  })

/** The same files written in this thread, in batches that are made beforehand: the most there is to have. */
export const ingestBare = (): Promise<number> =>
  inFolder(async (dir) => {
    const files = openTickFiles({ dir, clock: systemClock })
    const flat = lists.flat()
    let tookMs = 0
    for (let times = 0; times < TIMES; times++) {
      for (let from = 0; from < flat.length; from += BATCH) {
        const batch = batchOf(later(flat.slice(from, from + BATCH), times))
        const startedAt = performance.now()
        files.write(batch)
        tookMs += performance.now() - startedAt
      }
    }
    files.close()
    return ((TICKS * TIMES) / tookMs) * 1_000
  })

/** 64,000 ticks only: it grows slower with more. */
export const ingestReference = () => ingestRows(openReference, 500, 64_000)
export const ingestLean = () => ingestRows(openLean, 5_000, 256_000)

const ingestRows = (open: (path: string) => Pick<RowTable, 'write' | 'close'>, size: number, ticks: number) =>
  inFolder(async (dir) => {
    const table = open(join(dir, 'rows.db'))
    const flat = lists.flat().slice(0, ticks)
    const startedAt = performance.now()
    for (let from = 0; from < flat.length; from += size) table.write(flat.slice(from, from + size))
    const rate = flat.length / (performance.now() - startedAt)
    table.close()
    return rate * 1_000
  })

const PACE = 250_000

/** p99 of the delay of the main loop, ms, while 250,000 ticks/s are added and stored; 3 s. */
export const loopDelay = (): Promise<number> =>
  inFolder(async (dir) => {
    const writer = await warmWriter(dir)
    const p99 = await delayWhile((list) => writer.add(list))
    await writer.close()
    return p99
  })

/** The same files written by the loop itself, 8,000 ticks at a time. */
export const loopDelayBare = (): Promise<number> =>
  inFolder(async (dir) => {
    const files = openTickFiles({ dir, clock: systemClock })
    let waiting: Tick[] = []
    const p99 = await delayWhile(async (list) => {
      waiting.push(...list)
      if (waiting.length < 8_000) return
      files.write(batchOf(waiting))
      waiting = []
    })
    files.close()
    return p99
  })

/** Ticks are made and thrown away. */
export const loopDelayIdle = (): Promise<number> => delayWhile(async () => {})

async function delayWhile(add: (list: Tick[]) => Promise<unknown>): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const adds: Promise<unknown>[] = []
  const startedAt = performance.now()
  delay.enable()
  for (let n = 0; performance.now() - startedAt < 3_000; n++) {
    // In wall time: whoever falls behind adds as fast as it comes.
    while (((n * LIST) / PACE) * 1_000 > performance.now() - startedAt) await systemClock.sleep(1)
    adds.push(add(later(lists[n % lists.length]!, Math.floor(n / lists.length))))
    await turn()
  }
  delay.disable()
  await Promise.all(adds)
  return delay.percentile(99) / 1e6
}

async function warmWriter(dir: string): Promise<TickWriter> {
  const writer = openTickWriter({ dir, clock: systemClock })
  await writer.add([{ ...lists[0]![0]!, symbol: 'FIRST' }])
  return writer
}
