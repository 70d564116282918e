// Bid and ask ticks of several symbols and sources, one file a symbol and day, read together in the order of
// (time, symbol, position in file). What one source stamped with the same time is one message: half of it would
// show triangles that never existed (10 of 40,498 in the known recording).
import { type BoardOf, type Quote, splitByBoard, symbolName, venueName } from '../../catalog/index.ts'
import { messageOf } from '../../kernel/index.ts'
import { type Item, readItems } from './items.ts'
import { mergeOrdered } from './merge.ts'
import {
  invalidRecording,
  quoteProblem,
  type ReadOptions,
  type RecordingStep,
  type RejectedQuote,
} from './recording.ts'
import { parseTickTime } from './tick-time.ts'

/** A spread wider than this share of the bid is no market. */
const SPREAD_MAX = 0.01

interface Tick {
  readonly nanos: bigint
  readonly venue: string
  readonly quote: Quote
  readonly where: string
  readonly reason: string | undefined
}

/**
 * An item that is no tick throws RECORDING_INVALID; a tick that no market can mean (a side not positive, crossed,
 * spread above 1 %, a time before the tick above) is rejected with its reason.
 */
export async function* readTicks(
  paths: readonly string[],
  options: ReadOptions,
): AsyncGenerator<RecordingStep> {
  let together: Tick[] = []
  const quantity = options.tickQuantity ?? 1_000_000
  for await (const tick of mergeOrdered(
    paths.map((path) => ticksOf(path, quantity)),
    isBefore,
  )) {
    if (together[0] && together[0].nanos !== tick.nanos) {
      yield stepOf(together, options.boardOf)
      together = []
    }
    together.push(tick)
  }
  if (together.length > 0) yield stepOf(together, options.boardOf)
}

function stepOf(ticks: readonly Tick[], boardOf: BoardOf): RecordingStep {
  const byVenue = new Map<string, Quote[]>()
  const rejected: RejectedQuote[] = []
  for (const { venue, quote, where, reason } of ticks) {
    if (reason !== undefined) rejected.push({ venue, symbol: quote.symbol, where, reason })
    else if (byVenue.has(venue)) byVenue.get(venue)?.push(quote)
    else byVenue.set(venue, [quote])
  }
  const messages = [...byVenue].flatMap(([venue, quotes]) => splitByBoard(venue, quotes, boardOf))
  return { time: Number(ticks[0]!.nanos / 1_000_000n), messages, rejected }
}

const isBefore = (a: Tick, b: Tick) =>
  a.nanos < b.nanos || (a.nanos === b.nanos && a.quote.symbol < b.quote.symbol)

async function* ticksOf(path: string, quantity: number): AsyncGenerator<Tick> {
  let last = 0n
  for await (const item of readItems(path)) {
    const tick = parseTick(item, `${path} item ${item.number}`, quantity)
    if (tick.nanos >= last) {
      last = tick.nanos
      yield tick
    } else {
      // Held at the time of the tick above, so that the order of the merge stays true.
      yield { ...tick, nanos: last, reason: 'time is before that of the tick above' }
    }
  }
}

function parseTick(item: Item, where: string, quantity: number): Tick {
  let value: Record<string, unknown>
  try {
    value = JSON.parse(item.text)
  } catch (error) {
    throw invalidRecording(where, `is not JSON: ${messageOf(error)}`, error)
  }
  const { symbol: code, lp, bid, ask, timestamp } = value
  const symbol = symbolOf(code)
  const time = parseTickTime(timestamp)
  if (symbol === undefined) throw invalidRecording(where, `symbol is ${JSON.stringify(code)}`)
  if (!venueName.safeParse(lp).success) throw invalidRecording(where, `lp is ${JSON.stringify(lp)}`)
  if (time === undefined) throw invalidRecording(where, `timestamp is ${JSON.stringify(timestamp)}`)
  if (typeof bid !== 'number' || typeof ask !== 'number') throw invalidRecording(where, 'lacks bid or ask')
  const quote: Quote = { symbol, bids: [[bid, quantity]], asks: [[ask, quantity]], time: time.ms }
  const reason = quoteProblem(quote) ?? (ask - bid > bid * SPREAD_MAX ? 'spread is above 1 %' : undefined)
  return { nanos: time.nanos, venue: lp as string, quote, where, reason }
}

/** EURUSD is EUR/USD; a code that already has a slash stays. */
function symbolOf(code: unknown): string | undefined {
  if (typeof code !== 'string') return undefined
  const symbol = /^[A-Z]{6}$/.test(code) ? `${code.slice(0, 3)}/${code.slice(3)}` : code
  return symbolName.safeParse(symbol).success ? symbol : undefined
}
