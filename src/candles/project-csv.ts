// The CSV files follow the database. What has changed is collected from a batch of messages and written once, because a
// file is replaced as a whole; and what is written is what the database has now, so that repetitions and the order of
// the messages do not matter.
import type { FoldOptions } from '../bus/index.ts'
import { type CandleChange, candlesChanged } from '../catalog/index.ts'
import { type Clock, repeat, type Task } from '../kernel/index.ts'
import { barsEnd } from './bucket.ts'
import type { CandleStore, Interval } from './candle.ts'
import type { CandleEmitter } from './events.ts'
import { entriesOf, type HeldRanges, holdGrowing, isHeld, joinRanges, type Ranges } from './hold-growing.ts'
import { settleAll } from './keep-settled.ts'

export interface ProjectorOptions {
  readonly clock: Clock
  readonly events: CandleEmitter
  readonly from: Pick<CandleStore, 'range'>
  readonly into: Pick<CandleStore, 'write' | 'purge'>
  /** Runs the work in the phases in which the files are written; what changes in others is copied when one begins. */
  readonly writeLegacy: (work: () => Promise<void>) => Promise<unknown>
}

interface Dirty {
  readonly source: string
  readonly ticker: string
  ranges: Ranges
  /** Growing bars that wait. */
  held: HeldRanges
  purged: Interval[]
}

/** What the files do not have yet, by source and ticker. JSON. */
export type ProjectorState = Record<string, Dirty>

export interface Projector {
  /** Group `csv`. A file that cannot be written although the disk can is told and left to the comparison of the stores. */
  readonly fold: FoldOptions<CandleChange, ProjectorState>
  /** Writes what has waited, also where no more changes come. */
  readonly task: Task
}

/** Bars that are read and written at once. */
const WINDOW = 20_000
const LOOK_MS = 5_000

export function openProjector(options: ProjectorOptions): Projector {
  const { clock, events } = options
  const settleDue = settleAll<Dirty>({
    ...{ clock, events, where: 'files' },
    async write(all, signal) {
      await options.writeLegacy(async () => {
        for (const dirty of all) await project(dirty, options, signal)
      })
    },
  })
  /** States in which something waits, with the end of their partition as far as it is known. */
  const waiting = new Map<ProjectorState, AbortSignal | undefined>()
  /** What is being written of a state, by the fold or the task. */
  const last = new Map<ProjectorState, Promise<unknown>>()
  /**
   * One after another for each partition: what fold and task both write would be read before and written behind each
   * other. Partitions have different tickers, and one whose file cannot be written does not hold up the others.
   */
  const inTurn = async (state: ProjectorState, work: () => Promise<void>): Promise<void> => {
    const done = (last.get(state) ?? Promise.resolve()).then(work)
    const ended = done.catch(() => {})
    last.set(state, ended)
    await ended
    if (last.get(state) === ended) last.delete(state)
    return done
  }
  return {
    fold: {
      stream: candlesChanged,
      group: 'csv',
      start: () => ({}),
      apply(state, { data }) {
        collect(state, data)
        return { events: [] }
      },
      save: (state) => JSON.stringify(state),
      load(saved) {
        const state = JSON.parse(saved) as ProjectorState
        waiting.set(state, undefined)
        return state
      },
      settle: (state, signal) =>
        inTurn(state, async () => {
          await settleChanged(state, clock.now(), (due) => settleDue(due, signal))
          waiting.set(state, signal)
        }),
    },
    async task(signal) {
      await repeat(LOOK_MS, clock, () => {
        for (const [state, lost] of waiting) {
          if (lost?.aborted || !isWaiting(state)) waiting.delete(state)
          else if (!last.has(state)) {
            const either = lost ? AbortSignal.any([lost, signal]) : signal
            void inTurn(state, () => settleHeld(state, clock.now(), (due) => settleDue(due, either)))
          }
        }
      })(signal)
      await Promise.all(last.values())
    },
  }
}

const isWaiting = (state: ProjectorState) =>
  Object.values(state).some(({ held }) => Object.keys(held).length > 0)

/** @param write takes out of its argument what is written. */
type Write = (due: ProjectorState) => Promise<void>

/** Nothing is applied to the state meanwhile. */
async function settleChanged(state: ProjectorState, now: number, write: Write): Promise<void> {
  const due: ProjectorState = {}
  for (const [name, dirty] of Object.entries(state)) {
    const split = holdGrowing(dirty.ranges, dirty.held, now)
    dirty.ranges = split.due
    dirty.held = split.waiting
    if (Object.keys(dirty.ranges).length + dirty.purged.length > 0) due[name] = dirty
  }
  await write(due)
  for (const [name, dirty] of Object.entries(state)) {
    if (name in due) continue
    if (Object.keys(dirty.held).length === 0) delete state[name]
    else Object.assign(dirty, { ranges: {}, purged: [] })
  }
}

/** Changes may be applied to the state meanwhile; what waits is not touched by them. */
async function settleHeld(state: ProjectorState, now: number, write: Write): Promise<void> {
  const due: ProjectorState = {}
  for (const [name, { source, ticker, held }] of Object.entries(state)) {
    const over = entriesOf(held).filter(([interval, range]) => !isHeld(interval, range, now))
    if (over.length === 0) continue
    due[name] = { source, ticker, ranges: Object.fromEntries(over), held: {}, purged: [] }
  }
  const written = { ...due }
  await write(due)
  for (const [name, { ranges }] of Object.entries(written)) {
    if (name in due) continue
    const { held } = state[name]!
    for (const [interval] of entriesOf(ranges)) delete held[interval]
  }
}

function collect(state: ProjectorState, { source, ticker, ranges, kind }: CandleChange): void {
  const name = `${source}|${ticker}`
  const dirty = state[name] ?? { source, ticker, ranges: {}, held: {}, purged: [] }
  state[name] = dirty
  for (const { interval, from, to } of ranges) {
    dirty.ranges[interval] = joinRanges(dirty.ranges[interval], { from, to })
    if (kind === 'purged' && !dirty.purged.includes(interval)) dirty.purged.push(interval)
  }
}

/** Ends early when the partition is lost: a former owner must not write files beside its successor. */
async function project(
  { source, ticker, ranges, purged }: Dirty,
  { from: stored, into, events, clock }: ProjectorOptions,
  signal: AbortSignal,
): Promise<void> {
  const beganAt = clock.monotonic()
  let written = 0
  if (purged.length > 0) await into.purge(source, ticker, purged)
  for (const [interval, { from, to }] of entriesOf(ranges)) {
    for (let at = from; at <= to && !signal.aborted; ) {
      const end = barsEnd(interval, at, WINDOW)
      const key = { source, ticker, interval }
      const bars = await stored.range({ ...key, from: at, to: Math.min(end, to + 1) })
      if (bars.length > 0 && !signal.aborted) await into.write(bars)
      written += bars.length
      at = end
    }
  }
  events.emit('projected', { bars: written, tookMs: clock.monotonic() - beganAt })
}
