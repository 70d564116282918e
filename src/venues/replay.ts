// A recording as a feed, at its own pace, faster, or as fast as it is taken.
import type { QuoteMessage } from '../catalog/index.ts'
import type { Clock } from '../kernel/index.ts'
import type { FeedStep, PublishSteps } from './feed.ts'
import type { Recording } from './recordings/open-recording.ts'
import type { RejectedQuote } from './recordings/recording.ts'

export interface ReplayOptions {
  readonly recording: Pick<Recording, 'steps'>
  /** 1 is as recorded, 10 ten times as fast, 0 as fast as it is taken. */
  readonly speed: number
  readonly clock: Clock
  readonly publish: PublishSteps
  readonly onRejected?: (rejected: readonly RejectedQuote[]) => void
  /** Steps that are stored already, by their count. Default 0. */
  readonly done?: number
}

export interface ReplaySummary {
  /** Place of the last one. */
  readonly steps: number
  /** Handed over in this run. */
  readonly messages: number
  readonly rejected: number
  /** False when it was told to stop before the end. */
  readonly complete: boolean
}

const BATCH_MAX = 200
/** After the last time of a recording: longer than any order is on its way. */
const LAST_HEARTBEAT_MS = 3_600_000

/**
 * Hands the messages over in order under their recorded times. At the end each venue and board gets a heartbeat
 * one hour later, so that who waits for the market's time to pass (the paper venue) is not left waiting.
 */
export async function replay(options: ReplayOptions, signal: AbortSignal): Promise<ReplaySummary> {
  const { recording, publish, onRejected, done = 0 } = options
  const pace = paceOf(options, signal)
  const voices = new Map<string, QuoteMessage>()
  let batch: FeedStep[] = []
  let [steps, messages, rejected, lastTime] = [0, 0, 0, 0]
  const flush = async () => {
    const ready = batch
    batch = []
    if (ready.length > 0) await publish(ready)
  }
  for await (const step of recording.steps()) {
    if (signal.aborted) break
    if (step.rejected.length > 0) onRejected?.(step.rejected)
    rejected += step.rejected.length
    lastTime = step.time
    if (step.messages.length === 0) continue
    for (const message of step.messages) voices.set(`${message.venue} ${message.board}`, message)
    if (steps < done) {
      steps += 1
      continue
    }
    await pace(step.time, flush)
    if (signal.aborted) break
    steps += 1
    messages += step.messages.length
    batch.push({ sequence: steps, time: step.time, messages: step.messages })
    if (batch.length === BATCH_MAX) await flush()
  }
  await flush()
  const complete = !signal.aborted
  if (complete && voices.size > 0 && steps >= done) {
    const silent = [...voices.values()].map((message) => ({ ...message, quotes: [] }))
    await publish([{ sequence: steps + 1, time: lastTime + LAST_HEARTBEAT_MS, messages: silent }])
  }
  return { steps, messages, rejected, complete }
}

/** Waits until a recorded time is due; what was due before is handed over first. */
function paceOf({ clock, speed }: ReplayOptions, signal: AbortSignal) {
  let start: { at: number; time: number } | undefined
  return async (time: number, flush: () => Promise<void>): Promise<void> => {
    if (speed === 0) return
    start ??= { at: clock.monotonic(), time }
    const dueAt = start.at + (time - start.time) / speed
    if (clock.monotonic() >= dueAt) return
    await flush()
    while (!signal.aborted && clock.monotonic() < dueAt) {
      await clock.sleep(Math.max(1, dueAt - clock.monotonic()), signal)
    }
  }
}
