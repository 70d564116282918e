// The reference's table of ticks: a row for each, unique by symbol and ms, with all of its indexes and pragmas; its
// trigger, which costs more than the rest together, is left out. And the leanest table of rows there is.
import { statSync } from 'node:fs'
import SqliteFile from 'better-sqlite3'
import type { Tick } from '../src/ticks/tick.ts'

export interface RowTable {
  /** One transaction. */
  write(ticks: readonly Tick[]): void
  recent(symbol: string, count: number): unknown[]
  /** Times in ms; `to` exclusive. */
  range(symbol: string, from: number, to: number): unknown[]
  /** It throws away the second tick of a ms. */
  kept(): number
  bytes(): number
  close(): void
}

const REFERENCE = `
  create table ticks (id integer primary key autoincrement, symbol varchar(20) not null, timestamp integer not null,
    bid real not null, ask real not null, spread real not null, volume integer default 0, lp_source varchar(50),
    flags integer default 0, created_at integer default (strftime('%s', 'now') * 1000), unique (symbol, timestamp));
  create index by_symbol_time on ticks (symbol, timestamp desc);
  create index by_time on ticks (timestamp desc);
  create index by_symbol on ticks (symbol);
  create index by_source on ticks (lp_source);`

export function openReference(path: string): RowTable {
  const file = open(path, REFERENCE)
  const insert = file.prepare(
    'insert or ignore into ticks (symbol, timestamp, bid, ask, spread, volume, lp_source, flags) values (?,?,?,?,?,?,?,?)',
  )
  const recent = file.prepare('select * from ticks where symbol = ? order by timestamp desc limit ?')
  const range = file.prepare(
    'select * from ticks where symbol = ? and timestamp >= ? and timestamp < ? order by timestamp',
  )
  return {
    write: file.transaction((ticks: readonly Tick[]) => {
      for (const { symbol, time, bid, ask, volume, source, flags } of ticks) {
        insert.run(symbol, time, bid, ask, ask - bid, volume, source, flags)
      }
    }),
    recent: (symbol, count) => recent.all(symbol, count),
    range: (symbol, from, to) => range.all(symbol, from, to),
    kept: () => file.prepare('select count(*) from ticks').pluck().get() as number,
    ...ends(file, path),
  }
}

const LEAN = `create table ticks (symbol integer, time integer, sequence integer, bid integer, ask integer,
  primary key (symbol, time, sequence)) without rowid`

export function openLean(path: string): Pick<RowTable, 'write' | 'bytes' | 'close'> {
  const file = open(path, LEAN)
  const insert = file.prepare('insert or ignore into ticks values (?,?,?,?,?)')
  const symbols = new Map<string, number>()
  return {
    write: file.transaction((ticks: readonly Tick[]) => {
      for (const { symbol, time, sequence, bid, ask } of ticks) {
        if (!symbols.has(symbol)) symbols.set(symbol, symbols.size)
        insert.run(symbols.get(symbol), time, sequence, Math.round(bid * 1e5), Math.round(ask * 1e5))
      }
    }),
    ...ends(file, path),
  }
}

function open(path: string, tables: string): SqliteFile.Database {
  const file = new SqliteFile(path)
  file.pragma('journal_mode = WAL')
  file.pragma('synchronous = NORMAL')
  file.pragma('cache_size = -64000')
  file.pragma('temp_store = MEMORY')
  file.pragma('mmap_size = 268435456')
  file.exec(tables)
  return file
}

const ends = (file: SqliteFile.Database, path: string) => ({
  bytes() {
    file.pragma('wal_checkpoint(TRUNCATE)')
    return statSync(path).size
  },
  close: () => void file.close(),
})
