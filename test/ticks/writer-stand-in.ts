// The writing thread with planted faults: a tick of the symbol DIE ends it in the middle of a batch.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import SqliteFile from 'better-sqlite3'
import { SluiceError } from '../../src/kernel/index.ts'
import { ticksOf } from '../../src/ticks/batch.ts'
import type { TickFiles } from '../../src/ticks/sqlite-files.ts'
import type { Tick } from '../../src/ticks/tick.ts'
import { serveTicks, type ThreadData } from '../../src/ticks/writer-serve.ts'

const dayOf = (time: number) => new Date(time).toISOString().slice(0, 10)

function openRowFiles(dir: string): TickFiles {
  const files = new Map<string, SqliteFile.Database>()
  const fileOf = (day: string) => {
    const known = files.get(day)
    if (known) return known
    const folder = join(dir, day.slice(0, 4), day.slice(5, 7))
    mkdirSync(folder, { recursive: true })
    const file = new SqliteFile(join(folder, `ticks_${day}.db`), { timeout: 50 })
    file.pragma('journal_mode=WAL')
    file.exec('CREATE TABLE IF NOT EXISTS t (k TEXT PRIMARY KEY, v TEXT)')
    files.set(day, file)
    return file
  }
  return {
    write(batch) {
      const ticks = ticksOf(batch)
      const day = dayOf(ticks[0]!.time)
      try {
        const file = fileOf(day)
        const insert = file.prepare('INSERT OR IGNORE INTO t VALUES (?, ?)')
        let stored = 0
        file.transaction(() => {
          for (const one of ticks) {
            if (one.symbol === 'DIE') process.exit(3)
            stored += insert.run(keyOf(one), JSON.stringify(one)).changes
          }
        })()
        return { stored, duplicate: ticks.length - stored }
      } catch (error) {
        files.get(day)?.close()
        files.delete(day)
        const code = String((error as { code?: string }).code)
        const as = code.startsWith('SQLITE_BUSY')
          ? 'DATABASE_BUSY'
          : code === 'SQLITE_NOTADB'
            ? 'TICKS_DAMAGED'
            : 'DATABASE_UNAVAILABLE'
        throw new SluiceError(as, `ticks_${day}.db: ${error}`, {}, error)
      }
    },
    checkpoint() {
      for (const file of files.values()) file.pragma('wal_checkpoint(TRUNCATE)')
    },
    close() {
      for (const file of files.values()) file.close()
    },
  }
}

const keyOf = (one: Tick) => [one.symbol, one.source, one.time, one.nanos, one.sequence].join('|')

if (parentPort) {
  const data = workerData as ThreadData
  serveTicks(parentPort, data, () => openRowFiles(data.dir))
}
