// The keeper: bars that ticks have made go from the stream into the database.
//
// A fold and not a handler for each message: the messages of one symbol follow each other, and one transaction for each
// was 20 a second on a busy machine. Of what a batch says of a bar only the newest version is written. No proof of
// ownership is needed: a stored bar is replaced only by one of more ticks, so a former owner can write nothing older.
import type { Bus, FoldOptions } from '../bus/index.ts'
import { type CandleBars, marketCandles, type TickBar } from '../catalog/index.ts'
import type { Database, Tx } from '../db/index.ts'
import type { Clock } from '../kernel/index.ts'
import type { Bar } from './candle.ts'
import type { CandleEmitter } from './events.ts'
import { addKept, type Kept, keepBars, lockBars } from './keep-bars.ts'
import { mendPartial, plainBar } from './keep-partial.ts'
import { settleAll } from './keep-settled.ts'

export interface KeeperOptions {
  readonly bus: Bus
  readonly db: Database
  readonly clock: Clock
  readonly events: CandleEmitter
  /** Called after a commit that left something in the outbox: the relay's nudge. */
  readonly nudge: () => void
}

interface Pending {
  readonly source: string
  readonly ticker: string
  /** By interval and time: the version with most ticks. */
  readonly bars: Record<string, TickBar>
  /** The newest message. */
  cause: string
}

/** What is not written yet, by source and ticker. JSON. */
export type KeeperState = Record<string, Pending>

/** Group `keeper`. */
export function keepCandles({
  db,
  clock,
  events,
  nudge,
}: KeeperOptions): FoldOptions<CandleBars, KeeperState> {
  return {
    stream: marketCandles,
    group: 'keeper',
    start: () => ({}),
    apply(state, { id, data }) {
      const { source, ticker, late } = data
      if (late) events.emit('late', { source, ticker, ...late })
      collect(state, data, id)
      return { events: [] }
    },
    save: (state) => JSON.stringify(state),
    load: (saved) => JSON.parse(saved) as KeeperState,
    settle: settleAll<Pending>({
      ...{ clock, events, where: 'database' },
      async write(pending) {
        const beganAt = clock.monotonic()
        const { stored, changed, older } = await db.write((tx) => keepAll(tx, pending, db, clock.now()))
        nudge()
        events.emit('kept', { stored, changed, older, tookMs: clock.monotonic() - beganAt })
      },
    }),
  }
}

function collect(state: KeeperState, { source, ticker, bars }: CandleBars, cause: string): void {
  if (bars.length === 0) return
  const name = `${source}|${ticker}`
  const pending = state[name] ?? { source, ticker, bars: {}, cause }
  state[name] = pending
  pending.cause = cause
  for (const bar of bars) {
    const place = `${bar.interval} ${bar.time}`
    const known = pending.bars[place]
    if (!known || bar.volume >= known.volume) pending.bars[place] = bar
  }
}

async function keepAll(tx: Tx, pending: readonly Pending[], { driver }: Database, at: number): Promise<Kept> {
  const sound: Bar[] = []
  const partial: [Pending, TickBar[]][] = []
  for (const one of pending) {
    const bars = Object.values(one.bars)
    const isSound = ({ whole, interval }: TickBar) => whole || interval === '1m'
    sound.push(...bars.filter(isSound).map((bar) => plainBar(one, bar)))
    const rest = bars.filter((bar) => !isSound(bar))
    if (rest.length > 0) partial.push([one, rest])
  }
  await lockBars(tx, driver, [
    ...sound,
    ...partial.flatMap(([one, bars]) => bars.map((bar) => plainBar(one, bar))),
  ])
  const cause = pending.map((one) => one.cause).join(' ')
  const options = { driver, origin: 'ticks', replaces: 'more ticks', cause, at } as const
  const kept = await keepBars(tx, sound, options)
  const mended: Bar[] = []
  for (const [one, bars] of partial) mended.push(...(await mendPartial(tx, one, bars)))
  return addKept(kept, await keepBars(tx, mended, options))
}
