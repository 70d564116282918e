// Which ticks are market data. Judges each by itself and against what its series (symbol and source) said before, holds
// back a jump until the ticks behind it agree or not, and remembers no more than a fixed number of series. It is a fold:
// what it says depends on the ticks, the given time and its state alone, and the state is plain JSON.
import { faultOf } from './gate-fault.ts'
import { type GateSeries, type Level, openSeriesMemory } from './gate-memory.ts'
import { sameContent } from './order.ts'
import type { QualityReason } from './quality-reason.ts'
import type { Tick } from './tick.ts'

export interface GateOptions {
  /** Ticks come as they happen: one that is more than a day old is refused. */
  readonly live: boolean
  /**
   * A mid that moves by more than this within a minute is held back until three more agree with it; then all four are
   * accepted. 0 never holds one back, %.
   */
  readonly jumpPct: number
  /** Series that are remembered; of more the one that was silent for longest is forgotten. Default 10,000. */
  readonly seriesMax?: number
}

export interface Refused<T> {
  readonly tick: T
  readonly reason: QualityReason
  /** What was found, for a person. */
  readonly detail: string
}

/** Ticks that were held back may be in here, and those that are held back are not: each is judged once. */
export interface Judged<T> {
  /** Of one series in the order in which they came. */
  readonly accepted: T[]
  readonly refused: Refused<T>[]
}

export type GateState<T> = readonly GateSeries<T>[]

export interface Gate<T extends Tick> {
  /** `now` in ms UTC. */
  judge(ticks: readonly T[], now: number): Judged<T>
  /** Nothing comes that could confirm what is held back: refuses all of it, or only what waits since before `until`. */
  giveUp(until?: number): Judged<T>
  /** How many are held back. */
  held(): number
  state(): GateState<T>
}

export const JUMP_WINDOW_MS = 60_000
const AGREEING = 3
const SERIES_MAX = 10_000

export function openGate<T extends Tick>(
  { live, jumpPct, seriesMax = SERIES_MAX }: GateOptions,
  state: GateState<T> = [],
): Gate<T> {
  const memory = openSeriesMemory<T>(seriesMax, state)
  const jump = jumpPct / 100

  const settle = (series: GateSeries<T>, tick: T, out: Judged<T>) => {
    const { base, held } = series
    const age = tick.time - base.time
    if (jump === 0) accept(series, tick, out)
    else if (age < 0 && (isNear(base, tick, jump) || age < -JUMP_WINDOW_MS)) {
      // A late one says nothing about where the market went since.
      out.accepted.push(tick)
    } else if (isBack(base, tick, held[0])) {
      letGo(series, jump, out)
      accept(series, tick, out)
    } else if (age > JUMP_WINDOW_MS) {
      // Nothing recent to compare with: whether the ticks held back were real is told by this one.
      if (held[0] && isNear(levelOf(held[0]), tick, jump)) release(series, out)
      else letGo(series, jump, out)
      accept(series, tick, out)
    } else if (held[0] && isNear(levelOf(held[0]), tick, jump)) {
      held.push(tick)
      if (held.length > AGREEING) release(series, out)
    } else {
      letGo(series, jump, out)
      held.push(tick)
    }
  }
  /** The market is where it was before the jump, which nothing speaks for. */
  const isBack = (base: Level, tick: T, held: T | undefined) =>
    isNear(base, tick, jump) && (!held || distance(base, tick) <= distance(levelOf(held), tick))

  return {
    judge(ticks, now) {
      const out: Judged<T> = { accepted: [], refused: [] }
      for (const tick of ticks) {
        const fault = faultOf(tick, now, live)
        if (fault) {
          out.refused.push({ tick, ...fault })
          continue
        }
        const series = memory.of(tick)
        if (!series) {
          const begun = { last: tick, base: levelOf(tick), held: [] }
          for (const forgotten of memory.begin(begun)) letGo(forgotten, jump, out)
          out.accepted.push(tick)
        } else if (isSame(series.last, tick)) {
          out.refused.push({ tick, reason: 'duplicate', detail: 'the same as the tick before it' })
        } else {
          series.last = tick
          settle(series, tick, out)
        }
      }
      return out
    },
    giveUp(until = Number.POSITIVE_INFINITY) {
      const out: Judged<T> = { accepted: [], refused: [] }
      for (const series of memory.all()) {
        if (series.held[0] && series.held[0].time < until) letGo(series, jump, out)
      }
      return out
    },
    held: () => memory.all().reduce((sum, { held }) => sum + held.length, 0),
    state: () => memory.all().map(({ last, base, held }) => ({ last: plain(last), base, held: [...held] })),
  }
}

const isSame = (a: Tick, b: Tick) => a.time === b.time && a.nanos === b.nanos && sameContent(a, b)

const mid = ({ bid, ask }: Tick) => (bid + ask) / 2
const levelOf = (tick: Tick): Level => ({ time: tick.time, mid: mid(tick) })
const distance = (from: Level, to: Tick) => Math.abs(mid(to) / from.mid - 1)
const isNear = (from: Level, to: Tick, jump: number) => distance(from, to) <= jump

/** Without what the caller has put beside its fields. */
const plain = ({ symbol, source, time, nanos, sequence, ...more }: Tick): Tick => ({
  ...{ symbol, source, time, nanos, sequence, bid: more.bid, ask: more.ask },
  ...{ bidSize: more.bidSize, askSize: more.askSize, volume: more.volume },
  ...{ flags: more.flags, broker: more.broker },
})

function accept<T extends Tick>(series: GateSeries<T>, tick: T, { accepted }: Judged<T>): void {
  accepted.push(tick)
  if (tick.time >= series.base.time) series.base = levelOf(tick)
}

/** All that is held back was real. */
function release<T extends Tick>(series: GateSeries<T>, out: Judged<T>): void {
  for (const tick of series.held) accept(series, tick, out)
  series.held.length = 0
}

/** Nothing confirms the jump; a tick behind it that is near the level from before is not refused with it. */
function letGo<T extends Tick>(series: GateSeries<T>, jump: number, out: Judged<T>): void {
  const { base, held } = series
  for (const tick of held) {
    if (jump === 0 || isNear(base, tick, jump)) accept(series, tick, out)
    else out.refused.push({ tick, reason: 'jump', detail: jumpDetail(base, tick) })
  }
  held.length = 0
}

const jumpDetail = (base: Level, tick: Tick): string =>
  `the mid went from ${base.mid} to ${mid(tick)}, and fewer than ${AGREEING} ticks behind it agreed`
