// The file of a UTC day: its series, and for each of them blocks of ticks. Open days and archives have the same tables,
// so one reader serves both; an archive's blocks are larger and compressed.
import { crc32 } from 'node:zlib'
import SqliteFile from 'better-sqlite3'
import { messageOf, SluiceError } from '../kernel/index.ts'
import { decodeBlock } from './block.ts'
import { damaged } from './block-damage.ts'
import type { TickColumns } from './columns.ts'
import { openStill, type StillFile } from './day-file-still.ts'
import { fileIdentity } from './folder.ts'
import { inFile } from './sqlite-failures.ts'

export const DAY_FILE_VERSION = 1

const CACHE_KIB = 8_192

export const DAY_FILE_TABLES = `
  create table file (id text not null, source text, source_bytes integer not null);
  create table series (id integer primary key, symbol text not null, source text not null, ticks integer not null,
    first integer not null, head_time integer not null, head_sequence integer not null, few integer not null,
    some integer not null, shared integer not null, unique (symbol, source));
  create table blocks (id integer primary key, series integer not null, first integer not null, last integer not null,
    count integer not null, tier integer not null, crc integer not null, data blob not null);
  create index blocks_by_time on blocks (series, last, first, count, tier);
  pragma user_version = ${DAY_FILE_VERSION}`

/** Times are ns since the beginning of the day. */
export interface SeriesRow {
  readonly id: number
  readonly symbol: string
  readonly source: string
  ticks: number
  first: number
  /** The key of the newest tick. */
  headTime: number
  headSequence: number
  /** How many small blocks it has, of the two tiers of compact.ts. */
  few: number
  some: number
  /** How many of the ticks were in the file that this one was made from. */
  readonly shared: number
}

/** A block without what is in it. */
export interface BlockPlace {
  readonly id: number
  readonly first: number
  readonly last: number
  readonly count: number
}

export interface DayFile {
  readonly path: string
  readonly connection: SqliteFile.Database
  readonly identity: number
  /** Of the file, and of the one that it was made from while that may still be there. */
  readonly id: string
  readonly source: string | undefined
  /** Bytes of the file that it was made from, 0 for none. */
  readonly sourceBytes: number
  /** A statement that is compiled once. */
  statement(text: string): SqliteFile.Statement
  /** All of a symbol, or one. */
  series(symbol: string, source?: string): SeriesRow[]
  /** Ordered by the bytes of symbol and source. */
  allSeries(): SeriesRow[]
  /** Blocks that may have ticks from `first` to `last`, both inclusive. */
  places(series: number, first: number, last: number): BlockPlace[]
  /** The blocks that end last, that one first. */
  newestPlaces(series: number, limit: number): BlockPlace[]
  /** TICKS_DAMAGED when it is not what was written. */
  load(place: BlockPlace): TickColumns
  /** What it shows is no longer what the file holds: it was read where nothing can be written, and somebody wrote. */
  isStale(): boolean
  close(): void
}

export interface DayFileOptions {
  readonly path: string
  readonly busyMs: number
  /** For archives: then SQLite keeps no files beside them, and one without tables is damaged. */
  readonly readOnly: boolean
  /** For who only looks: where SQLite cannot put its files beside it, it is read into memory. */
  readonly looks?: boolean
}

const SERIES = `select id, symbol, source, ticks, first, head_time headTime, head_sequence headSequence, few, some, shared
  from series`
const PLACES = 'select id, first, last, count from blocks where series = ?'

/** undefined when there is none, or one whose maker was killed before it had tables. */
export function openDayFile({ path, busyMs, readOnly, looks = false }: DayFileOptions): DayFile | undefined {
  const identity = fileIdentity(path)
  if (identity === undefined) return undefined
  return inFile(path, () => {
    const connection = new SqliteFile(path, { timeout: busyMs, readonly: readOnly, fileMustExist: true })
    try {
      return fileWithTables({ connection, isStale: () => false }, { path, identity, readOnly })
    } catch (error) {
      if (!looks || !isUnwritten(error)) throw error
      return fileWithTables(openStill(path), { path, identity, readOnly })
    }
  })
}

const isUnwritten = (error: unknown) =>
  /^SQLITE_(CANTOPEN|READONLY|FULL|IOERR)/.test(String((error as { code?: unknown } | null)?.code))

interface Opened {
  readonly path: string
  readonly identity: number
  readonly readOnly: boolean
}

/** Closes the connection where it answers no file. */
function fileWithTables(
  { connection, isStale }: StillFile,
  { path, identity, readOnly }: Opened,
): DayFile | undefined {
  try {
    // The reference's settings but three. FULL: what is acknowledged is on the disk, also with the power gone. Less
    // cache, because an import or a long query has a dozen files open. And nothing is mapped into memory: it made no
    // difference to any query, counts as memory of the process, and a failing disk ends that without an error.
    connection.pragma('synchronous = FULL')
    connection.pragma('temp_store = MEMORY')
    connection.pragma(`cache_size = -${CACHE_KIB}`)
    const version = connection.pragma('user_version', { simple: true }) as number
    if (version > DAY_FILE_VERSION) throw newer(path, version)
    if (version === DAY_FILE_VERSION) return { ...dayFileOn(connection, path, identity), isStale }
    if (readOnly) throw damaged(`${path} has no tables.`, { path })
    connection.close()
    return undefined
  } catch (error) {
    connection.close()
    throw error
  }
}

const newer = (path: string, version: number) =>
  new SluiceError('DATABASE_INVALID', `${path} has tables of version ${version}; this is an older program.`)

function dayFileOn(
  connection: SqliteFile.Database,
  path: string,
  identity: number,
): Omit<DayFile, 'isStale'> {
  const statements = new Map<string, SqliteFile.Statement>()
  const statement = (text: string) => {
    const known = statements.get(text)
    if (known) return known
    const compiled = connection.prepare(text)
    statements.set(text, compiled)
    return compiled
  }
  const about = statement('select id, source, source_bytes bytes from file').get() as
    | { id: string; source: string | null; bytes: number }
    | undefined
  if (!about) throw damaged(`${path} does not say which file it is.`, { path })
  const rows = <T>(text: string, ...values: unknown[]) =>
    inFile(path, () => statement(text).all(...values)) as T[]
  return {
    path,
    connection,
    identity,
    id: about.id,
    source: about.source ?? undefined,
    sourceBytes: about.bytes,
    statement,
    series: (symbol, source) =>
      source === undefined
        ? rows(`${SERIES} where symbol = ? order by source`, symbol)
        : rows(`${SERIES} where symbol = ? and source = ?`, symbol, source),
    allSeries: () => rows(`${SERIES} order by symbol, source`),
    places: (series, first, last) => rows(`${PLACES} and last >= ? and first <= ?`, series, first, last),
    newestPlaces: (series, limit) => rows(`${PLACES} order by last desc limit ?`, series, limit),
    load: (place) => loadBlock(path, statement('select data, crc from blocks where id = ?'), place),
    close: () => connection.close(),
  }
}

function loadBlock(path: string, statement: SqliteFile.Statement, place: BlockPlace): TickColumns {
  const row = inFile(path, () => statement.get(place.id)) as { data: Buffer; crc: number } | undefined
  const facts = { path, block: place.id }
  if (!row) throw damaged(`${path} has no block ${place.id}.`, facts)
  if (crc32(row.data) !== row.crc) throw damaged(`${path}: block ${place.id} is not what was written.`, facts)
  try {
    return decodeBlock(row.data)
  } catch (error) {
    throw damaged(`${path}: block ${place.id} cannot be read: ${messageOf(error)}`, facts, error)
  }
}
