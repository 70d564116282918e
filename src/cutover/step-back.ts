// A difference that a read has shown puts its feature back by one phase, once, however many processes find it.
import type { Database } from '../db/index.ts'
import { type Clock, messageOf } from '../kernel/index.ts'
import type { CutoverEmitter } from './events.ts'
import type { Knowledge } from './knowledge.ts'
import { isBehind, phaseBefore, useOf } from './phase.ts'
import { addShadow, type Difference, insertDifferences } from './runs.ts'
import { changeState, type FeatureState, lockState } from './store.ts'

export type FoundDifference = Difference

export interface StepBackParts {
  readonly database: Database
  readonly clock: Clock
  readonly knowledge: Knowledge
  readonly events: CutoverEmitter
  readonly retryMs: number
  readonly tell: () => Promise<void>
  readonly signal: AbortSignal
}

/** @param seen the state under which the read was made. Goes on until the database takes it, or the signal aborts. */
export async function stepBack(
  parts: StepBackParts,
  seen: FeatureState,
  difference: FoundDifference,
): Promise<void> {
  const { events, clock, knowledge, signal } = parts
  while (!signal.aborted) {
    try {
      const changed = await record(parts, seen, difference)
      await parts.tell()
      // When it fails the poll sees the change.
      await knowledge.refresh().catch(() => {})
      if (changed) events.emit('steppedBack', changed)
      return
    } catch (error) {
      events.emit('disturbed', { where: `step back of ${seen.feature}`, reason: messageOf(error) })
      await clock.sleep(parts.retryMs, signal)
    }
  }
}

/** Answers the change; undefined when somebody was faster, or the present phase has nowhere to go. */
function record({ database, clock }: StepBackParts, seen: FeatureState, difference: FoundDifference) {
  const { feature } = seen
  return database.write(async (tx) => {
    const now = await lockState(tx, feature)
    const run = await addShadow(tx, seen, { compared: 0, different: 1, at: clock.now() })
    await insertDifferences(tx, run, [difference])
    // A step forward that came in between does not make the stores equal; a step back is what was to be done.
    const isMine = now.revision === seen.revision || isBehind(seen.phase, now.phase)
    const to = phaseBefore(now.phase)
    if (!isMine || !to || !now.complete || !useOf(now.phase).compares) return undefined
    const reason = `a read differed: ${difference.key}`
    await changeState(tx, now, { to, complete: true, reason, at: clock.now() })
    return { feature, from: now.phase, to, reason }
  })
}
