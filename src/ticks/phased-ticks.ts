// Two stores behind one port while a cut-over is under way: its phase says which are written and which one answers.
import type { Cutover } from '../cutover/index.ts'
import type { TickStore, Written } from './tick.ts'

export interface PhasedTicksOptions {
  readonly cutover: Cutover<'ticks'>
  readonly legacy: TickStore
  readonly current: TickStore
}

/** Reads of past ticks are compared in shadow and primary; what moves with each tick (`recent`, `series`) is not. */
export function phasedTicks({ cutover, legacy, current }: PhasedTicksOptions): TickStore {
  const answering = async () => {
    await cutover.ready()
    return cutover.reads('ticks') === 'legacy' ? legacy : current
  }
  return {
    async write(ticks) {
      const written: Written[] = []
      const into = (store: TickStore) => async () => void written.push(await store.write(ticks))
      // One call for both: that a store may be left out is certain only after the other has the ticks.
      await cutover.write('ticks', { legacy: into(legacy), current: into(current) })
      // The store that answers is written first.
      return written[0]!
    },
    range: (query) =>
      cutover.read('ticks', {
        what: `ticks of ${query.symbol} from ${query.from} to ${query.to}`,
        legacy: () => legacy.range(query),
        current: () => current.range(query),
        canonical: (ticks) => JSON.stringify(ticks),
      }),
    recent: async (...asked) => (await answering()).recent(...asked),
    series: async (...asked) => (await answering()).series(...asked),
    async close() {
      await Promise.all([legacy.close(), current.close()])
    },
  }
}
