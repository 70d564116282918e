// The newest ticks for screens, out of the stream itself: they are there before they are on a disk and while that fails,
// and nobody's loop waits for a file. Judged as they are where they are kept. Followed only while somebody asks, because
// each entry costs 17 µs; 100 ticks of a symbol are answered in 12 µs.
import type { Bus, Entry } from '../bus/index.ts'
import { marketQuotes, type QuoteMessage } from '../catalog/index.ts'
import { type Clock, messageOf, type Task } from '../kernel/index.ts'
import { openGate } from './gate.ts'
import { compareTicks } from './order.ts'
import { openRing } from './ring.ts'
import type { Tick } from './tick.ts'
import { ticksOfMessage } from './ticks-of-message.ts'

export interface LiveTicksOptions {
  readonly bus: Pick<Bus, 'readBack'>
  readonly clock: Clock
  /** See `GateOptions`. */
  readonly live: boolean
  readonly jumpPct: number
  /** The stream could not be read; it is tried again, and meanwhile nothing is answered. */
  readonly onFailure: (reason: string) => void
}

export interface LiveTicks {
  /**
   * The newest `count` of a symbol, by time, oldest first; undefined where it does not know so many: who asks for the
   * first time asks the store then.
   */
  recent(symbol: string, count: number, source?: string): Tick[] | undefined
  readonly task: Task
}

const EVERY_MS = 100
const BATCH = 500
// A page that polls asks again long before.
const UNASKED_MS = 60_000
const SERIES_MAX = 4_096
// 63 bytes a tick: 258 MB at the most. Who asks for more, or for another symbol, is answered by the store.
const PER_SYMBOL = 1_000

export function openLiveTicks({ bus, clock, live, jumpPct, onFailure }: LiveTicksOptions): LiveTicks {
  let askedAt = Number.NEGATIVE_INFINITY
  let memory: Memory | undefined
  let wake = new AbortController()
  const isAsked = () => clock.monotonic() - askedAt < UNASKED_MS

  const follow = async (signal: AbortSignal) => {
    // From now on: what was before is in the store.
    memory ??= openMemory({ live, jumpPct, begin: `${clock.now()}-0` })
    for (const partition of memory.places.keys()) {
      for (let isBehind = true; isBehind && !signal.aborted; ) {
        const entries = await bus.readBack(marketQuotes, partition, memory.places[partition]!.at, BATCH)
        // A hole: the stream was trimmed or emptied, or an entry cannot be read. What is remembered has one as well.
        if (!entries.every(memory.take)) {
          memory = undefined
          return
        }
        isBehind = entries.length === BATCH
      }
    }
  }
  return {
    recent(symbol, count, source) {
      askedAt = clock.monotonic()
      wake.abort()
      return memory?.recent(symbol, count, source)
    },
    async task(signal) {
      while (!signal.aborted) {
        wake = new AbortController()
        if (!isAsked()) {
          memory = undefined
          await clock.sleep(UNASKED_MS, AbortSignal.any([signal, wake.signal]))
          continue
        }
        try {
          await follow(signal)
        } catch (error) {
          memory = undefined
          if (!signal.aborted) onFailure(messageOf(error))
        }
        await clock.sleep(EVERY_MS, signal)
      }
    },
  }
}

type Memory = ReturnType<typeof openMemory>

function openMemory({ live, jumpPct, begin }: { live: boolean; jumpPct: number; begin: string }) {
  const gate = openGate({ live, jumpPct, seriesMax: SERIES_MAX })
  const ring = openRing({ perSymbol: PER_SYMBOL, symbolsMax: SERIES_MAX })
  const places = Array.from({ length: marketQuotes.partitions }, () => ({ at: begin, sequence: 0 }))
  /** The newest of each series. */
  const newest = new Map<string, Tick>()

  /** As a store does: ticks of one time that come in several messages go behind each other. */
  const numbered = (tick: Tick): Tick => {
    const last = newest.get(`${tick.source}\n${tick.symbol}`)
    if (last?.time !== tick.time || last.nanos !== tick.nanos || tick.sequence > last.sequence) return tick
    return { ...tick, sequence: last.sequence + 1 }
  }
  return {
    places,
    /** False when entries are missing in front of it. */
    take({ partition, entry, sequence, data }: Entry<QuoteMessage>): boolean {
      const place = places[partition]!
      if (place.sequence !== 0 && sequence !== place.sequence + 1) return false
      places[partition] = { at: entry, sequence }
      for (const accepted of gate.judge(ticksOfMessage(data), Number(entry.split('-')[0])).accepted) {
        const tick = numbered(accepted)
        const series = `${tick.source}\n${tick.symbol}`
        newest.delete(series)
        newest.set(series, tick)
        if (newest.size > SERIES_MAX) newest.delete(newest.keys().next().value!)
        ring.push(tick)
      }
      return true
    },
    recent(symbol: string, count: number, source: string | undefined): Tick[] | undefined {
      // Late ones lie behind newer ones, and must not be taken instead of them.
      const all = ring.recent(symbol, source === undefined ? count * 2 : ring.held(symbol))
      const found = source === undefined ? all : all.filter((tick) => tick.source === source)
      return found.length < count ? undefined : found.sort(compareTicks).slice(-count)
    },
  }
}
