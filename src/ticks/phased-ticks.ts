// Two stores behind one port while a cut-over is under way: its phase says which are written and which one answers.
import type { Cutover } from '../cutover/index.ts'
import { inItsPhases } from './cutover-ticks.ts'
import type { TickStore } from './tick.ts'

export interface PhasedTicksOptions {
  readonly cutover: Cutover<'ticks'>
  readonly legacy: TickStore
  readonly current: TickStore
}

/** Reads of past ticks are compared in shadow and primary; what moves with each tick (`recent`, `series`) is not. */
export function phasedTicks({ cutover, legacy, current }: PhasedTicksOptions): TickStore {
  const answering = () => (cutover.reads('ticks') === 'legacy' ? legacy : current)
  const sides = {
    legacy: inItsPhases(cutover, 'legacy', legacy),
    current: inItsPhases(cutover, 'current', current),
  }
  return {
    async write(ticks) {
      const [former, latter] = [await sides.legacy.write(ticks), await sides.current.write(ticks)]
      return cutover.reads('ticks') === 'legacy' ? former : latter
    },
    range: (query) =>
      cutover.read('ticks', {
        what: `ticks of ${query.symbol} from ${query.from} to ${query.to}`,
        legacy: () => legacy.range(query),
        current: () => current.range(query),
        canonical: (ticks) => JSON.stringify(ticks),
      }),
    recent: (...asked) => answering().recent(...asked),
    series: (...asked) => answering().series(...asked),
    async close() {
      await Promise.all([legacy.close(), current.close()])
    },
  }
}
