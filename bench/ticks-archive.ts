// A day that is over, rewritten and compressed: how fast, and how many bytes are left of a tick.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { zstdCompressSync } from 'node:zlib'
import { systemClock } from '../src/kernel/index.ts'
import { openTickArchive } from '../src/ticks/archive.ts'
import { batchOf } from '../src/ticks/batch.ts'
import { isUnreadable, readTick } from '../src/ticks/read-tick.ts'
import { openTickFiles } from '../src/ticks/sqlite-files.ts'
import type { Tick } from '../src/ticks/tick.ts'
import { recording } from '../test/support/recordings.ts'
import { parquetBytes } from './ticks-duckdb.ts'
import { DAY, feedOf } from './ticks-feed.ts'
import { openReference } from './ticks-reference.ts'
import { inFolder } from './ticks-stage.ts'

const DAY_TEXT = new Date(DAY).toISOString().slice(0, 10)
// Sixteen symbols at a tick a second through the whole day.
const FEED = { symbols: 16, ticks: 86_400, everyMs: 1_000 }
const FLUSH = FEED.symbols * 60

function writeOpenDay(dir: string, ticks: readonly Tick[]): void {
  const files = openTickFiles({ dir, clock: systemClock })
  for (let from = 0; from < ticks.length; from += FLUSH) files.write(batchOf(ticks.slice(from, from + FLUSH)))
  files.close()
}

export interface ClosedDay {
  /** ticks/s of one rewrite, its verification included. */
  rewrite(): Promise<number>
  /** ticks/s of what the reference does instead: its file through zstd, at level 3 where it takes 19. */
  squeeze(): Promise<number>
}

export async function withClosedDay<T>(work: (day: ClosedDay) => Promise<T>): Promise<T> {
  return inFolder(async (dir) => {
    const ticks = feedOf(FEED, 1_000_000).flat()
    writeOpenDay(dir, ticks)
    const archive = openTickArchive({ dir, clock: systemClock })
    const path = join(dir, 'reference.db')
    const table = openReference(path)
    const some = ticks.slice(0, 250_000)
    table.write(some)
    table.bytes()
    table.close()
    try {
      return await work({
        async rewrite() {
          const startedAt = performance.now()
          archive.compress(DAY_TEXT)
          const rate = (ticks.length / (performance.now() - startedAt)) * 1_000
          archive.restore(DAY_TEXT)
          return rate
        },
        async squeeze() {
          const startedAt = performance.now()
          zstdCompressSync(readFileSync(path))
          return (some.length / (performance.now() - startedAt)) * 1_000
        },
      })
    } finally {
      archive.close()
    }
  })
}

export interface Size {
  readonly of: string
  readonly who: string
  /** A tick; undefined where who makes it is absent. */
  readonly bytes: number | undefined
}

/** What a tick takes on the disk, of the made feed and of a real one. */
export async function sizes(duckdb: string): Promise<Size[]> {
  const made = await sizesOf('FX-like feed', feedOf(FEED, 1_000_000).flat(), duckdb)
  const folder = recording('ticks')
  return folder ? [...made, ...(await sizesOf('recorded FX', recordedTicks(folder), duckdb))] : made
}

const sizesOf = (of: string, ticks: readonly Tick[], duckdb: string): Promise<Size[]> =>
  inFolder(async (dir) => {
    const found: Size[] = []
    const say = (who: string, bytes: number | undefined) =>
      found.push({ of, who, bytes: bytes === undefined ? undefined : bytes / ticks.length })
    writeOpenDay(dir, ticks)
    const archive = openTickArchive({ dir, clock: systemClock })
    const open = archive.list()[0]!.bytes
    say('sluice, archived', archive.compress(DAY_TEXT).bytes)
    say('sluice, open day', open)
    archive.close()
    const path = join(dir, 'reference.db')
    const table = openReference(path)
    table.write(ticks.slice(0, 250_000))
    const scale = ticks.length / table.kept()
    say('reference', table.bytes() * scale)
    table.close()
    say('reference, zstd 3', zstdCompressSync(readFileSync(path)).length * scale)
    say('Parquet by DuckDB, zstd', await parquetBytes(duckdb, dir, ticks))
    return found
  })

/** Only what a market said; the recording has a simulator's ticks beside it. */
function recordedTicks(folder: string): Tick[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name))
  const fields = files
    .filter((path) => path.endsWith('.json') && statSync(path).isFile())
    .flatMap((path) => JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>[])
  const ticks: Tick[] = []
  for (const field of fields.filter(({ lp }) => lp === 'YOFX')) {
    const read = readTick(field)
    if (isUnreadable(read)) continue
    const before = ticks.at(-1)
    const isSame = before?.symbol === read.symbol && before.time === read.time && before.nanos === read.nanos
    ticks.push({ ...read, sequence: isSame ? before.sequence + 1 : 0 })
  }
  return ticks
}
