// The newest ticks of each symbol in memory, for screens and detectors that ask many times a second. They are kept as
// columns: 10,000 ticks of a symbol are 0.6 MB in ten arrays, and nothing for the garbage collector to walk. Making 100
// objects of them takes 4 µs, so the very newest also stay as the objects that they came as.
import { openColumns, type RingColumns } from './ring-columns.ts'
import type { Tick } from './tick.ts'

export interface RingOptions {
  /** Default 10,000. */
  readonly perSymbol?: number
  /** Of more symbols the one that was silent for longest is forgotten. Default 4,096. */
  readonly symbolsMax?: number
}

export interface TickRing {
  push(tick: Tick): void
  /** Up to `count` ticks in the order they came, the newest last; none of an unknown symbol. */
  recent(symbol: string, count: number): Tick[]
  latest(symbol: string): Tick | undefined
  /** How many ticks of it are held. */
  held(symbol: string): number
  symbols(): string[]
}

interface Entry {
  readonly symbol: string
  columns: RingColumns
  /** The newest as they came; tick number n since the beginning is at n modulo AS_OBJECTS. */
  readonly objects: Tick[]
  pushed: number
  /** The row where the next tick goes. */
  next: number
  held: number
  older: Entry | undefined
  newer: Entry | undefined
}

const FIRST_ROWS = 64
const AS_OBJECTS = 128

const entryFor = (symbol: string, rows: number): Entry => ({
  symbol,
  columns: openColumns(symbol, rows),
  objects: [],
  pushed: 0,
  next: 0,
  held: 0,
  older: undefined,
  newer: undefined,
})

export function openRing({ perSymbol = 10_000, symbolsMax = 4_096 }: RingOptions = {}): TickRing {
  const entries = new Map<string, Entry>()
  let newest: Entry | undefined
  let oldest: Entry | undefined

  const unlink = (entry: Entry) => {
    if (entry.older) entry.older.newer = entry.newer
    else oldest = entry.newer
    if (entry.newer) entry.newer.older = entry.older
    else newest = entry.older
  }
  const putNewest = (entry: Entry) => {
    entry.older = newest
    entry.newer = undefined
    if (newest) newest.newer = entry
    newest = entry
    oldest ??= entry
  }
  const entryOf = (symbol: string): Entry => {
    const known = entries.get(symbol)
    if (known === newest && known) return known
    if (known) unlink(known)
    else if (entries.size >= symbolsMax && oldest) {
      entries.delete(oldest.symbol)
      unlink(oldest)
    }
    const entry = known ?? entryFor(symbol, Math.min(FIRST_ROWS, perSymbol))
    if (!known) entries.set(symbol, entry)
    putNewest(entry)
    return entry
  }

  const recent = (symbol: string, count: number): Tick[] => {
    const entry = entries.get(symbol)
    if (!entry) return []
    const rows = Math.min(Math.max(0, Math.floor(count)), entry.held)
    return rows <= AS_OBJECTS ? objectsOf(entry, rows) : rowsOf(entry, rows)
  }

  return {
    push(tick) {
      const entry = entryOf(tick.symbol)
      const { rows } = entry.columns
      // Grows until it has all its rows; from then on the oldest is overwritten.
      if (entry.held === rows && rows < perSymbol) {
        entry.columns = entry.columns.grown(Math.min(rows * 2, perSymbol))
        entry.next = entry.held
      }
      entry.columns.write(entry.next, tick)
      entry.objects[entry.pushed++ % AS_OBJECTS] = tick
      if (++entry.next === entry.columns.rows) entry.next = 0
      if (entry.held < entry.columns.rows) entry.held++
    },
    recent,
    latest: (symbol) => recent(symbol, 1)[0],
    held: (symbol) => entries.get(symbol)?.held ?? 0,
    symbols: () => [...entries.keys()],
  }
}

function objectsOf({ objects, pushed }: Entry, rows: number): Tick[] {
  const end = pushed % AS_OBJECTS
  if (rows <= end) return objects.slice(end - rows, end)
  if (end === 0) return objects.slice(AS_OBJECTS - rows)
  return objects.slice(AS_OBJECTS - (rows - end)).concat(objects.slice(0, end))
}

function rowsOf({ columns, next }: Entry, rows: number): Tick[] {
  const ticks = new Array<Tick>(rows)
  let row = next - rows
  if (row < 0) row += columns.rows
  for (let n = 0; n < rows; n++) {
    ticks[n] = columns.read(row)
    if (++row === columns.rows) row = 0
  }
  return ticks
}
