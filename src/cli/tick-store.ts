// The store of ticks for a command, closed again whatever happens.
import { SluiceError } from '../kernel/index.ts'
import type { TickArchive, TickStore } from '../ticks/index.ts'
import { withPlatform } from './connection.ts'

export const withTicks = <T>(work: (store: TickStore) => Promise<T>): Promise<T> =>
  withPlatform(async (platform) => {
    if (platform.config.TICKS_BACKEND === 'dual') await platform.cutover.ready()
    return work(platform.ticks)
  })

/** Throws USAGE where ticks are kept otherwise. */
export const withArchive = <T>(
  work: (archive: TickArchive, afterDays: number, now: number) => Promise<T>,
): Promise<T> =>
  withPlatform(async ({ config, clock }) => {
    const { TICKS_BACKEND, TICKS_DIR, TICKS_ARCHIVE_AFTER_DAYS } = config
    if (TICKS_BACKEND !== 'sqlite' && TICKS_BACKEND !== 'dual') {
      const message = `TICKS_BACKEND is ${TICKS_BACKEND}; files of days are there with sqlite and dual.`
      throw new SluiceError('USAGE', message)
    }
    const { openTickArchive } = await import('../ticks/index.ts')
    const archive = openTickArchive({ dir: TICKS_DIR, clock })
    try {
      return await work(archive, TICKS_ARCHIVE_AFTER_DAYS, clock.now())
    } finally {
      archive.close()
    }
  })
