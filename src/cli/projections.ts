// `sluice cache rebuild`: writes the Redis structures that readers of the replaced systems know, from the stores.
import { SluiceError } from '../kernel/index.ts'
import { familiesOf, familyNames, rebuildProjections } from '../projections/index.ts'
import { withPlatform } from './connection.ts'
import { runningConfig } from './running-config.ts'
import { stopSignal } from './stop-signal.ts'
import { type Terminal, table } from './terminal.ts'

/**
 * @returns the exit code: 1 when it was stopped. Throws USAGE for a name that is none, and where neither the command nor
 * PROJECTIONS names any.
 */
export async function rebuild(names: readonly string[], terminal: Terminal): Promise<0 | 1> {
  const families = familiesOf(names.length > 0 ? names : familyNames(runningConfig().PROJECTIONS))
  if (families.size === 0) {
    throw new SluiceError('USAGE', 'PROJECTIONS is empty: set it, or name what to rebuild.')
  }
  const { sources, left } = await withPlatform(async (platform) => {
    const { bus, database, venues, clock, config } = platform
    if (config.TICKS_BACKEND === 'dual') await platform.cutover.ready()
    const parts = { families, bus, database, venues, clock, config, ticks: () => platform.ticks }
    const stop = stopSignal()
    try {
      return await rebuildProjections(parts, stop.signal, ({ source, written, tookMs }) =>
        terminal.note(`${source}: ${written} keys in ${tookMs} ms`, 'rebuilt', { source, written, tookMs }),
      )
    } finally {
      stop.release()
    }
  })
  const stopped = left.length > 0
  const rows = sources.map(({ source, written, overtaken, tookMs }) => [source, written, overtaken, tookMs])
  terminal.result({ sources, stopped, left }, () => table(['from', 'keys', 'newer already', 'ms'], rows))
  if (!stopped) return 0
  terminal.note(`stopped; not whole: ${left.join(', ')}; the same command writes all again`, 'stopped')
  return 1
}
