// A day of one tick a second, read back: from memory, from the open day, from the archive, from the reference's table.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../src/kernel/index.ts'
import { openTickArchive } from '../src/ticks/archive.ts'
import { batchOf } from '../src/ticks/batch.ts'
import { openRing, type TickRing } from '../src/ticks/index.ts'
import { openTickFiles } from '../src/ticks/sqlite-files.ts'
import { openTickReads, type TickReads } from '../src/ticks/sqlite-reads.ts'
import { DAY, DAY_MS, feedOf } from './ticks-feed.ts'
import { openReference, type RowTable } from './ticks-reference.ts'

const SYMBOLS = 8
const DAY_TICKS = 86_400
const HOUR_MS = 3_600_000

export interface Library {
  readonly ring: TickRing
  readonly open: TickReads
  readonly archived: TickReads
  readonly reference: RowTable
  close(): Promise<void>
}

/** Written a minute at a time, the last ten minutes a second at a time, as a live feed would. */
export async function openLibrary(): Promise<Library> {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  const [openDir, archiveDir] = [join(dir, 'open'), join(dir, 'archive')]
  const seconds = feedOf({ symbols: SYMBOLS, ticks: DAY_TICKS, everyMs: 1_000 }, SYMBOLS)
  const ring = openRing()
  for (const list of seconds) for (const tick of list) ring.push(tick)
  for (const [folder, finest] of [
    [openDir, 600],
    [archiveDir, 0],
  ] as const) {
    const files = openTickFiles({ dir: folder, clock: systemClock })
    for (let second = 0; second < seconds.length; ) {
      const step = second < seconds.length - finest ? 60 : 1
      files.write(batchOf(seconds.slice(second, second + step).flat()))
      second += step
    }
    files.close()
  }
  const archive = openTickArchive({ dir: archiveDir, clock: systemClock })
  archive.compress(new Date(DAY).toISOString().slice(0, 10))
  archive.close()
  const reference = openReference(join(dir, 'reference.db'))
  reference.write(seconds.flat())
  const [open, archived] = [
    openTickReads({ dir: openDir, clock: systemClock }),
    openTickReads({ dir: archiveDir, clock: systemClock }),
  ]
  return {
    ...{ ring, open, archived, reference },
    async close() {
      await open.close()
      await archived.close()
      reference.close()
      rmSync(dir, { recursive: true })
    },
  }
}

const symbolOf = (n: number) => `FX${String(n % SYMBOLS).padStart(4, '0')}`
/** Another hour for each. */
const hourOf = (n: number) => DAY + ((n * 7) % 24) * HOUR_MS

/** ms of one call, of so many. */
async function each(times: number, work: (n: number) => unknown): Promise<number> {
  const startedAt = performance.now()
  for (let n = 0; n < times; n++) {
    const answer = work(n)
    if (answer instanceof Promise) await answer
  }
  return (performance.now() - startedAt) / times
}

export const recentRing = ({ ring }: Library) => each(20_000, (n) => ring.recent(symbolOf(n), 100))
export const recentDisk = ({ open }: Library) => each(400, (n) => open.recent(symbolOf(n), 100))
export const recentArchive = ({ archived }: Library) => each(100, (n) => archived.recent(symbolOf(n), 100))
export const recentReference = ({ reference }: Library) =>
  each(400, (n) => reference.recent(symbolOf(n), 100))

const hour = (reads: TickReads) => (n: number) =>
  reads.range({ symbol: symbolOf(n), from: hourOf(n), to: hourOf(n) + HOUR_MS })
export const hourOpen = ({ open }: Library) => each(40, hour(open))
export const hourArchive = ({ archived }: Library) => each(40, hour(archived))
export const hourReference = ({ reference }: Library) =>
  each(40, (n) => reference.range(symbolOf(n), hourOf(n), hourOf(n) + HOUR_MS))

const day = (reads: TickReads) => (n: number) =>
  reads.range({ symbol: symbolOf(n), from: DAY, to: DAY + DAY_MS })
export const dayOpen = ({ open }: Library) => each(SYMBOLS, day(open))
export const dayArchive = ({ archived }: Library) => each(SYMBOLS, day(archived))
export const dayReference = ({ reference }: Library) =>
  each(SYMBOLS, (n) => reference.range(symbolOf(n), DAY, DAY + DAY_MS))
