// Answers from the files of all days, whether open, archived or both; another process or thread may be writing them.
import { setImmediate } from 'node:timers/promises'
import { type Clock, SluiceError } from '../kernel/index.ts'
import { checkCount, isTickName, TIME_END } from './check-tick.ts'
import { DAY_MS, dayNumber } from './day-name.ts'
import { openFolder, type TickFolder } from './folder.ts'
import { openFolderDays } from './folder-days.ts'
import { openGate } from './folder-gate.ts'
import { type DayQuery, readRange, readRecent, readSeries } from './read-day.ts'
import { BLOCK_MS, untilFree } from './sqlite-busy.ts'
import type { Tick, TickQuery, TickSeries, TickStore } from './tick.ts'

export type TickReads = Pick<TickStore, 'range' | 'recent' | 'series' | 'close'>

export interface TickReadsOptions {
  /** Folder of all days; created when it is missing. */
  readonly dir: string
  readonly clock: Clock
  /** How long files may be in replacement before DATABASE_BUSY, ms. Default: 5,000. */
  readonly busyMs?: number
}

const DAYS_OPEN_MAX = 8
// After so many the event loop gets its turn: about 2 ms.
const TICKS_A_TURN = 8_192

export function openTickReads({ dir, clock, busyMs = 5_000 }: TickReadsOptions): TickReads {
  const folder = openFolder(dir)
  const gate = openGate({ root: folder.root, name: 'days', busyMs: BLOCK_MS, reads: true })
  const days = openFolderDays({ folder, gate, busyMs: BLOCK_MS, max: DAYS_OPEN_MAX, looks: true })
  const soon = <T>(work: () => T) => untilFree({ clock, busyMs }, work)

  return {
    async range(query) {
      checkCount(query.limit, 'limit')
      const { limit = Number.POSITIVE_INFINITY } = query
      const out: Tick[] = []
      for (const day of daysOf(folder, query)) {
        let isWhole = out.length >= limit
        while (!isWhole) {
          isWhole = await soon(() => {
            const page: DayQuery = { ...query, source: query.source, after: out.at(-1) ?? query.after }
            const size = { limit: limit - out.length, pause: TICKS_A_TURN }
            return readRange(days.current(day), day, page, out, size) || out.length >= limit
          })
          await setImmediate()
        }
        if (out.length >= limit) break
      }
      return out
    },
    async recent(symbol, count, source) {
      checkCount(count, 'count')
      let newest: Tick[] = []
      if (count === 0 || !isTickName(symbol)) return newest
      for (const day of folder.days('newest first')) {
        const missing = count - newest.length
        const older = await soon(() => readRecent(days.current(day), day, { symbol, source, count: missing }))
        newest = older.concat(newest)
        if (newest.length === count) break
        await setImmediate()
      }
      return newest
    },
    async series(day) {
      const only = day === undefined ? undefined : dayNumber(day)
      if (day !== undefined && only === undefined) {
        throw new SluiceError('USAGE', `${day} is no day; write YYYY-MM-DD.`, { day })
      }
      const found: TickSeries[][] = []
      for (const one of folder.days('oldest first', only, only)) {
        found.push(await soon(() => readSeries(days.current(one), one)))
        await setImmediate()
      }
      return found.flat()
    },
    async close() {
      await soon(days.close)
      gate.close()
    },
  }
}

function daysOf(folder: TickFolder, { symbol, from, to, after }: TickQuery): Iterable<number> {
  const begin = Math.max(0, from, after?.time ?? 0)
  const end = Math.min(to, TIME_END)
  if (!isTickName(symbol) || !(begin < end)) return []
  return folder.days('oldest first', Math.floor(begin / DAY_MS), Math.floor((end - 1) / DAY_MS))
}
