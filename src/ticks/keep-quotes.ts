// From `market.quotes` into a store of ticks. Every valid tick is kept; a quote that is none goes to quarantine with its
// reason. A batch of the stream is acknowledged when both are durable, so a kill loses nothing: the stream delivers it
// again, and what was stored already is recognised. Each store reads as a group of its own, so one that fails or lags
// holds up no other store, and shows it.
import type { Entry, FoldOptions } from '../bus/index.ts'
import { marketQuotes, type QuoteMessage, tickChannel } from '../catalog/index.ts'
import type { Database } from '../db/index.ts'
import { insertQuarantine, type Quarantined } from '../imports/index.ts'
import type { Clock } from '../kernel/index.ts'
import { isWorthTelling, type Told } from './broadcast.ts'
import { type Gate, JUMP_WINDOW_MS, openGate, type Refused } from './gate.ts'
import { retrying } from './retrying.ts'
import type { Tick, TickStore } from './tick.ts'
import type { TickEmitter } from './tick-events.ts'
import { tickJson } from './tick-json.ts'
import { ticksOfMessage } from './ticks-of-message.ts'

export interface KeepQuotesOptions {
  /** Tells the groups of several stores apart: sqlite, json, postgres. */
  readonly name: string
  readonly store: Pick<TickStore, 'write'>
  readonly database: Database
  readonly clock: Clock
  readonly events: TickEmitter
  /** Quotes come as they happen; those of a recording may be of any age. */
  readonly live: boolean
  /** See `GateOptions.jumpPct`. */
  readonly jumpPct: number
  /** Tells ticks on their channels that moved by this much, %; undefined tells none. */
  readonly broadcastMinPct: number | undefined
}

/** Where a tick came from. */
type Kept = Tick & { readonly place?: number }

interface Keeping {
  readonly gate: Gate<Kept>
  /** By source and symbol. */
  readonly told: Map<string, Told>
  /** Server time up to which jumps that nothing confirmed were given up, ms. */
  sweptAt: number
  /** Since the last settlement. */
  accepted: Tick[]
  refused: Refused<Kept>[]
}

const SERIES_MAX = 1_000
const SWEEP_MS = 10_000

export function keepQuotes(options: KeepQuotesOptions): FoldOptions<QuoteMessage, Keeping> {
  const { name, live, jumpPct, broadcastMinPct } = options
  const gateOptions = { live, jumpPct, seriesMax: SERIES_MAX }
  const origin = marketQuotes.name
  return {
    stream: marketQuotes,
    group: `ticks-${name}`,
    start: () => keeping(openGate(gateOptions)),
    apply(state, entry) {
      const now = storedAt(entry)
      const place = entry.sequence
      const ticks = ticksOfMessage(entry.data).map((tick) => ({ ...tick, place }))
      const judged = [state.gate.judge(ticks, now)]
      if (now - state.sweptAt >= SWEEP_MS) {
        state.sweptAt = now
        judged.push(state.gate.giveUp(now - JUMP_WINDOW_MS))
      }
      const accepted = judged.flatMap(({ accepted }) => accepted)
      state.accepted.push(...accepted)
      state.refused.push(...judged.flatMap(({ refused }) => refused))
      const tell = broadcastMinPct === undefined ? [] : worthTelling(state, accepted, broadcastMinPct)
      return { events: [], tell }
    },
    async settle(state, signal) {
      const { accepted, refused } = state
      state.accepted = []
      state.refused = []
      await retrying(options, signal, () => writeBoth(options, origin, accepted, refused))
    },
    save: ({ gate, sweptAt }) => JSON.stringify({ gate: gate.state(), sweptAt }),
    load(saved) {
      const { gate, sweptAt } = JSON.parse(saved)
      return { ...keeping(openGate(gateOptions, gate)), sweptAt }
    },
  }
}

const keeping = (gate: Gate<Kept>): Keeping => ({
  ...{ gate, told: new Map(), sweptAt: 0, accepted: [], refused: [] },
})

/** When Redis stored the entry, ms: what is late or ahead must not depend on when it is read. */
const storedAt = ({ entry }: Entry) => Number(entry.slice(0, entry.indexOf('-')))

async function writeBoth(
  { store, database, clock, events, name }: KeepQuotesOptions,
  origin: string,
  accepted: readonly Tick[],
  refused: readonly Refused<Kept>[],
): Promise<void> {
  // The tick before it is the same, time and content, so nothing is lost. A venue that repeats itself would fill the
  // table with them: they are counted.
  const strange = refused.filter(({ reason }) => reason !== 'duplicate')
  if (accepted.length + refused.length > strange.length) {
    const { stored, duplicate } = await store.write(accepted)
    events.emit('stored', { store: name, stored, duplicate: duplicate + refused.length - strange.length })
  }
  if (strange.length === 0) return
  await database.write((tx) =>
    insertQuarantine(tx, { kind: 'ticks', origin, at: clock.now() }, strange.map(quarantined)),
  )
  for (const [reason, of] of Map.groupBy(strange, ({ reason }) => reason)) {
    events.emit('quarantined', { reason, count: of.length })
  }
}

/** Two stores that refuse the same tick keep it once. */
function quarantined({ tick, reason, detail }: Refused<Kept>): Quarantined {
  const { symbol, source, time, place = 0 } = tick
  const piece = { offset: place, text: JSON.stringify(tickJson(tick)) }
  return { piece, reason, detail, symbol, source, time }
}

function worthTelling({ told }: Keeping, ticks: readonly Tick[], minPct: number) {
  return ticks.flatMap((tick) => {
    const channel = tickChannel(tick.source, tick.symbol)
    if (!isWorthTelling(told.get(channel), tick, minPct)) return []
    told.delete(channel)
    told.set(channel, { bid: tick.bid, ask: tick.ask })
    if (told.size > SERIES_MAX) told.delete(told.keys().next().value!)
    return [{ channel, message: JSON.stringify(tickJson(tick)) }]
  })
}
