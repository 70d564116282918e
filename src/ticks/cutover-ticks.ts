// Ticks as the cut-over engine sees them: a part is one symbol on one UTC day, a record one tick with all that it says.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  type CanonicalRecord,
  type Cutover,
  type FeatureStores,
  otherSide,
  type Part,
  type Side,
} from '../cutover/index.ts'
import { DAY_MS, dayNumber } from './day-name.ts'
import { timeText } from './parse-time.ts'
import type { CopyableTicks, Tick, TickStore, Written } from './tick.ts'

export interface TickPart extends Part {
  /** YYYY-MM-DD. */
  readonly day: string
  readonly symbol: string
}

export interface TickStoresOptions {
  readonly legacy: CopyableTicks
  readonly current: CopyableTicks
  /** Resolves when every tick that was published before is in that store. */
  readonly drained?: FeatureStores['drained']
}

// About 2 MB as objects.
const PAGE = 10_000

/** What writers have taken and not stored yet: durable, acknowledged, and in no answer of the store. */
export const spilledFiles = (dir: string): string[] => {
  const root = join(dir, 'spill')
  if (!existsSync(root)) return []
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ticks'))
    .map((name) => join(root, name))
}

/** A store as its own group writes it: what comes in a phase that leaves it out is acknowledged and not written. */
export const inItsPhases = (
  cutover: Pick<Cutover<'ticks'>, 'write'>,
  side: Side,
  store: Pick<TickStore, 'write'>,
): Pick<TickStore, 'write'> => ({
  async write(ticks) {
    let written: Written = { stored: 0, duplicate: 0 }
    const work = async () => {
      written = await store.write(ticks)
    }
    await cutover.write('ticks', { [side]: work })
    return written
  },
})

export function tickStores({ legacy, current, drained }: TickStoresOptions): FeatureStores<TickPart> {
  const stores: Record<Side, CopyableTicks> = { legacy, current }
  return {
    name: 'ticks',
    parts: (side) => partsOf(stores[side]),
    records: (side, part) => recordsOf(stores[side], part),
    async copy(part, to, onRead, signal) {
      const from = stores[otherSide(to)]
      for await (const ticks of pagesOf(from, part)) {
        signal.throwIfAborted()
        await stores[to].copyIn(ticks)
        onRead(ticks.length)
      }
    },
    ...(drained && { drained }),
  }
}

async function partsOf(store: TickStore): Promise<TickPart[]> {
  const parts = new Map<string, TickPart>()
  // Of all sources together.
  for (const { day, symbol, ticks } of await store.series()) {
    const name = `${day} ${symbol}`
    parts.set(name, { name, day, symbol, records: (parts.get(name)?.records ?? 0) + ticks })
  }
  return [...parts.values()]
}

/** Ticks of one time are never in two pages. */
async function* pagesOf(store: TickStore, { day, symbol }: TickPart): AsyncGenerator<Tick[]> {
  const from = dayNumber(day)! * DAY_MS
  const query = { symbol, from, to: from + DAY_MS, limit: PAGE }
  let rest: Tick[] = []
  for (;;) {
    const last = rest.at(-1)
    const found = await store.range(last ? { ...query, after: last } : query)
    const ticks = [...rest, ...found]
    const isLast = found.length < PAGE
    const cut = isLast ? ticks.length : beginOfLastTime(ticks)
    if (cut > 0) yield ticks.slice(0, cut)
    if (isLast) return
    rest = ticks.slice(cut)
  }
}

function beginOfLastTime(ticks: readonly Tick[]): number {
  const { time, nanos } = ticks.at(-1)!
  let at = ticks.length - 1
  while (at > 0 && ticks[at - 1]!.time === time && ticks[at - 1]!.nanos === nanos) at--
  return at
}

async function* recordsOf(store: TickStore, part: TickPart): AsyncGenerator<CanonicalRecord[]> {
  for await (const ticks of pagesOf(store, part)) {
    // By time already; the order of sources and sequences among ticks of one time is that of the key here.
    yield ticks.map(recordOf).sort(byKey)
  }
}

const byKey = (a: CanonicalRecord, b: CanonicalRecord) => (a.key < b.key ? -1 : 1)

const recordOf = (tick: Tick): CanonicalRecord => ({
  key: `${tick.symbol} ${timeText(tick)} ${tick.source} ${tick.sequence}`,
  value: contentOf(tick),
})

/** Equal ticks have equal texts: a float64 as JavaScript writes it is read back as the same. */
function contentOf({ bid, ask, bidSize, askSize, volume, flags, broker }: Tick): string {
  const numbers = `${text(bid)} ${text(ask)} sizes ${text(bidSize)} ${text(askSize)} volume ${text(volume)}`
  return `${numbers} flags ${flags} broker ${JSON.stringify(broker)}`
}

function text(value: number | undefined): string {
  if (value === undefined) return '-'
  return Object.is(value, -0) ? '-0' : String(value)
}
