// Order books as JSON lines: `timestamp` in seconds, `exchange`, `bids` and `asks` as [price, quantity], numbers
// or texts, best first. Both exchanges of the known recording (EX1, EX2) trade BTC/BRL.
import { type Level, splitByBoard } from '../../catalog/index.ts'
import { messageOf } from '../../kernel/index.ts'
import { readLines } from './lines.ts'
import { invalidRecording, quoteProblem, type ReadOptions, type RecordingStep } from './recording.ts'

const SYMBOL = 'BTC/BRL'

interface BookLine {
  timestamp: number
  exchange: string
  bids: unknown[]
  asks: unknown[]
}

/** A line that is no snapshot throws RECORDING_INVALID; a snapshot that no venue can mean is rejected. */
export async function* readBooks(path: string, options: ReadOptions): AsyncGenerator<RecordingStep> {
  const levels = options.levels ?? Number.POSITIVE_INFINITY
  let last = 0
  for await (const line of readLines(path)) {
    const where = `${path} line ${line.number}`
    const { timestamp, exchange, bids, asks, symbol } = parseLine(line.text, where)
    const quote = {
      symbol,
      bids: levelsOf(bids, levels, where),
      asks: levelsOf(asks, levels, where),
      // Seconds with 7 decimals are about 1.6e9: 1e-7 s is what float64 keeps of them, and so of the ms.
      time: timestamp * 1000,
    }
    // The order of the lines is the order of arrival; a stamp that goes back must not turn time back.
    const time = Math.max(last, Math.floor(quote.time))
    last = time
    const reason = quoteProblem(quote)
    if (reason === undefined) {
      yield { time, messages: splitByBoard(exchange, [quote], options.boardOf), rejected: [] }
    } else {
      yield { time, messages: [], rejected: [{ venue: exchange, symbol, where, reason }] }
    }
  }
}

function parseLine(text: string, where: string): BookLine & { symbol: string } {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw invalidRecording(where, `is not JSON: ${messageOf(error)}`, error)
  }
  const line = value as Partial<BookLine> & { symbol?: unknown }
  if (typeof line?.timestamp !== 'number' || !(line.timestamp > 0)) {
    throw invalidRecording(where, 'has no timestamp in seconds')
  }
  if (typeof line.exchange !== 'string' || line.exchange === '')
    throw invalidRecording(where, 'has no exchange')
  if (!Array.isArray(line.bids) || !Array.isArray(line.asks))
    throw invalidRecording(where, 'lacks bids or asks')
  const symbol = typeof line.symbol === 'string' ? line.symbol : SYMBOL
  return { ...(line as BookLine), symbol }
}

function levelsOf(side: readonly unknown[], most: number, where: string): Level[] {
  const count = Math.min(side.length, most)
  const levels = new Array<Level>(count)
  for (let i = 0; i < count; i += 1) {
    const level = side[i]
    if (!Array.isArray(level) || level.length < 2) {
      throw invalidRecording(where, `level ${i + 1} is not [price, quantity]`)
    }
    levels[i] = [toNumber(level[0]), toNumber(level[1])]
  }
  return levels
}

// Number('') is 0 and Number(null) is 0: neither is a price that was written.
const toNumber = (value: unknown): number =>
  typeof value === 'number' ? value : typeof value === 'string' && value !== '' ? Number(value) : Number.NaN
