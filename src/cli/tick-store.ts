// The store of ticks for a command, closed again whatever happens.
import type { TickArchive, TickStore } from '../ticks/index.ts'
import { beginFeatures } from './begin-features.ts'
import { withPlatform } from './connection.ts'

export const withTicks = <T>(work: (store: TickStore) => Promise<T>): Promise<T> =>
  withPlatform(async (platform) => {
    if (platform.config.TICKS_BACKEND === 'dual') await platform.cutover.ready()
    return work(platform.ticks)
  })

/**
 * Throws USAGE where ticks are kept otherwise.
 * @param use `read` works without the database, on a backup; `change` throws CUTOVER_REFUSED as a worker would
 */
export const withArchive = <T>(
  use: 'read' | 'change',
  work: (archive: TickArchive, afterDays: number, now: number) => Promise<T>,
): Promise<T> =>
  withPlatform(async (platform) => {
    const { config, clock } = platform
    const { TICKS_DIR, TICKS_ARCHIVE_AFTER_DAYS } = config
    const { demandDayFiles, openTickArchive } = await import('../ticks/index.ts')
    demandDayFiles(config)
    if (use === 'change') await beginFeatures(platform, 'ticks')
    const archive = openTickArchive({ dir: TICKS_DIR, clock })
    try {
      return await work(archive, TICKS_ARCHIVE_AFTER_DAYS, clock.now())
    } finally {
      archive.close()
    }
  })
