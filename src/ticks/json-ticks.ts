// Ticks as the reference kept them, a JSON array for each symbol and UTC day, readable by its tools. It is the store to
// leave: what it is for is to be compared with. But nothing is lost in it on the way: a list is appended to its files
// and forced to the disk before it is acknowledged, without limit and without writing anything again.
import type { Clock } from '../kernel/index.ts'
import { checkCount, checkTicks, isTickName } from './check-tick.ts'
import { DAY_MS, dayNumber } from './day-name.ts'
import type { Repair } from './json-file.ts'
import { type JsonFolder, openJsonFolder } from './json-folder.ts'
import { openFolderLock } from './json-lock.ts'
import { type Place, readPlaces, readTimes, type Wanted } from './json-read.ts'
import { withSequences } from './json-text.ts'
import { compareText, compareTicks, placeAll, placeCopied } from './order.ts'
import type { CopyableTicks, Tick, TickQuery, TickSeries, Written } from './tick.ts'

export interface JsonTicksOptions {
  /** Folder of all symbols; made at the first write. */
  readonly dir: string
  readonly clock: Clock
  /** How long another process may hold the folder before DATABASE_BUSY, ms. Default 5,000. */
  readonly busyMs?: number
  /** Told when the rest of a tick was cut off that a writer left half written when it was killed. */
  readonly onRepair?: (repair: Repair) => void
}

/** Several processes may write. A file that is damaged in its middle is refused with TICKS_DAMAGED. */
export function openJsonTicks({
  dir,
  clock,
  busyMs = 5_000,
  onRepair = () => undefined,
}: JsonTicksOptions): CopyableTicks {
  const lock = openFolderLock(dir, clock, busyMs)
  const folder = openJsonFolder({ dir, lock, clock, onRepair })
  const write = async (ticks: readonly Tick[], day: WriteDay): Promise<Written> => {
    checkTicks(ticks)
    if (ticks.length === 0) return { stored: 0, duplicate: 0 }
    return lock.hold(() => writeAll(folder, ticks, day))
  }
  return {
    write: (ticks) => write(ticks, writeDay),
    copyIn: (ticks) => write(ticks, copyDay),
    async range(query) {
      checkCount(query.limit, 'limit')
      return isTickName(query.symbol) ? range(folder, query) : []
    },
    async recent(symbol, count, source) {
      checkCount(count, 'count')
      return isTickName(symbol) ? recent(folder, symbol, count, source) : []
    },
    series: (day) => series(folder, day),
    close: () => lock.close(),
  }
}

// Forcing to the disk waits for the disk and not for us, so files are written side by side.
const SIDE_BY_SIDE = 32

/** Ticks of one symbol and day; answers how many were stored. */
type WriteDay = (folder: JsonFolder, ticks: readonly Tick[]) => Promise<number>

async function writeAll(folder: JsonFolder, ticks: readonly Tick[], write: WriteDay): Promise<Written> {
  const groups = Map.groupBy(ticks, ({ symbol, time }) => `${Math.floor(time / DAY_MS)} ${symbol}`)
  const lists = [...groups.values()]
  let stored = 0
  for (let at = 0; at < lists.length; at += SIDE_BY_SIDE) {
    const results = await Promise.allSettled(
      lists.slice(at, at + SIDE_BY_SIDE).map((list) => write(folder, list)),
    )
    // The lock is held until all have ended, also when one failed.
    for (const result of results) {
      if (result.status === 'rejected') throw result.reason
      stored += result.value
    }
  }
  return { stored, duplicate: ticks.length - stored }
}

async function writeDay(folder: JsonFolder, ticks: readonly Tick[]): Promise<number> {
  const { file, own, places } = await placesOf(folder, ticks)
  const fresh = placeAll(await keptBeside(places, own, ticks), ticks)
  if (fresh.length > 0) await file.append(fresh)
  return fresh.length
}

async function copyDay(folder: JsonFolder, ticks: readonly Tick[]): Promise<number> {
  const { file, places } = await placesOf(folder, ticks)
  const times = ticks.map(({ time }) => time)
  const { gone, fresh, duplicate } = placeCopied(await readTimes(places, times), ticks)
  if (gone.size > 0) {
    const keys = new Set([...gone].map(keyOf))
    const isKept = (tick: Tick) => !keys.has(keyOf(tick))
    // Its own file first: who is killed in between leaves ticks twice, which the next copy mends, and not never.
    await file.rewrite(isKept, fresh)
    for (const other of places) if (other.file !== file) await other.file.rewrite(isKept, [])
  } else if (fresh.length > 0) await file.append(fresh)
  return ticks.length - duplicate
}

/** Whole groups go, so sequences, which a file need not say, do not matter. */
const keyOf = ({ time, nanos, source }: Tick): string => `${time} ${nanos} ${source}`

async function placesOf(folder: JsonFolder, ticks: readonly Tick[]) {
  const { symbol, time } = ticks[0]!
  const day = Math.floor(time / DAY_MS)
  const places = await folder.places(symbol, day, true)
  const own = await folder.look(symbol, day, true)
  return { places, own, file: folder.file(symbol, day) }
}

/** What the ticks may meet: nothing for those that are newer than all of their source, which is nearly always. */
async function keptBeside(
  places: readonly Place[],
  own: Place | undefined,
  ticks: readonly Tick[],
): Promise<readonly Tick[]> {
  const isOnlyOwn = places.every(({ file }) => file === own?.file)
  const heads = isOnlyOwn ? own?.index.heads : undefined
  if (!heads)
    return readTimes(
      places,
      ticks.map(({ time }) => time),
    )
  const late = ticks.filter(({ source, time, nanos }) => {
    const head = heads.get(source)
    return head && (time - head.time || nanos - head.nanos) < 0
  })
  const newest = [...heads.values()].flatMap(({ together }) => withSequences(together))
  return [
    ...newest,
    ...(await readTimes(
      places,
      late.map(({ time }) => time),
    )),
  ]
}

const isBefore = (a: number, b: number): number => a - b

/** UTC days of which a symbol may have ticks, rising. */
function daysWithin(folder: JsonFolder, symbol: string, from: number, to: number): number[] {
  const near = folder.days(symbol).flatMap((day) => [day - 1, day, day + 1])
  return [...new Set(near)].filter((day) => (day + 1) * DAY_MS > from && day * DAY_MS < to).sort(isBefore)
}

/** Again while a copy replaces a file between the look at it and the reading, as it may once for each of its pages. */
async function readDay(folder: JsonFolder, symbol: string, day: number, wanted: Wanted): Promise<Tick[]> {
  for (;;) {
    const ticks = await readPlaces(await folder.places(symbol, day), wanted)
    if (ticks) return ticks
  }
}

async function range(folder: JsonFolder, query: TickQuery): Promise<Tick[]> {
  const { symbol, source, to, after, limit = Number.POSITIVE_INFINITY } = query
  const from = Math.max(query.from, after?.time ?? 0)
  const isWanted = (tick: Tick) =>
    (source === undefined || tick.source === source) && (!after || compareTicks(tick, after) > 0)
  const found: Tick[] = []
  for (const day of daysWithin(folder, symbol, from, to)) {
    const left = limit - found.length
    if (left === 0) break
    const within = { from: Math.max(from, day * DAY_MS), to: Math.min(to, (day + 1) * DAY_MS) }
    const ticks = await readDay(folder, symbol, day, { ...within, isWanted, limit: left })
    for (const tick of ticks) found.push(tick)
  }
  return found
}

async function recent(folder: JsonFolder, symbol: string, count: number, source: string | undefined) {
  const isWanted = (tick: Tick) => source === undefined || tick.source === source
  const found: Tick[][] = []
  let left = count
  for (const day of daysWithin(folder, symbol, 0, Number.MAX_SAFE_INTEGER).reverse()) {
    if (left === 0) break
    const within = { from: day * DAY_MS, to: (day + 1) * DAY_MS, isWanted, limit: left, newest: true }
    const ticks = await readDay(folder, symbol, day, within)
    found.push(ticks)
    left -= ticks.length
  }
  return found.reverse().flat()
}

async function series(folder: JsonFolder, name: string | undefined): Promise<TickSeries[]> {
  const asked = name === undefined ? undefined : dayNumber(name)
  if (name !== undefined && asked === undefined) return []
  const found = new Map<string, TickSeries>()
  for (const symbol of folder.symbols()) {
    for (const fileDay of folder.days(symbol)) {
      if (asked !== undefined && Math.abs(fileDay - asked) > 1) continue
      const place = await folder.look(symbol, fileDay)
      for (const [day, sources] of place?.index.days ?? []) {
        if (asked !== undefined && day !== asked) continue
        for (const one of sources.values()) {
          const key = JSON.stringify([one.day, symbol, one.source])
          found.set(key, joined(found.get(key), one))
        }
      }
    }
  }
  return [...found.values()].sort(
    (a, b) => compareText(a.day, b.day) || compareText(a.symbol, b.symbol) || compareText(a.source, b.source),
  )
}

const joined = (a: TickSeries | undefined, b: TickSeries): TickSeries =>
  a
    ? { ...a, ticks: a.ticks + b.ticks, first: Math.min(a.first, b.first), last: Math.max(a.last, b.last) }
    : { ...b }
