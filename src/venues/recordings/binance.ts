// Raw frames of one Binance market as books: differences and snapshots keep the depth, book tickers put the newest
// best prices on top. The recorder's clock was 1.27 s behind the exchange's, so times are the exchange's own; what
// carries none is stamped by the recorder's clock plus the offset that the other frames show.
import { type Quote, splitByBoard } from '../../catalog/index.ts'
import { type Frame, type Market, marketOf, parseFrame, symbolOfCode } from './binance-frame.ts'
import { type DepthBook, openDepthBook } from './depth-book.ts'
import { type Line, readLines } from './lines.ts'
import { invalidRecording, quoteProblem, type ReadOptions, type RecordingStep } from './recording.ts'

const LEVELS = 20
// Enough frames to meet one with a time of its own, and one that only a single market can have sent.
const HEAD_LINES = 500
const OFFSET_WINDOW = 101

export async function* readBinance(path: string, options: ReadOptions): AsyncGenerator<RecordingStep> {
  const { market, offsets } = await readHead(path)
  const clock = openOffset(offsets)
  const books = new Map<string, DepthBook>()
  let code: string | undefined
  let last = 0
  for await (const line of readLines(path)) {
    const frame = parseFrame(line, path)
    const offset = clock.observe(frame)
    code = frame.code ?? code
    if (frame.what.kind === 'other') continue
    const where = `${path} line ${line.number}`
    const symbol = code === undefined ? undefined : symbolOfCode(code)
    if (symbol === undefined) throw invalidRecording(where, `no symbol is known for ${JSON.stringify(code)}`)
    const book = books.get(symbol) ?? openDepthBook()
    books.set(symbol, book)
    const gap = applyFrame(book, frame)
    const top = book.top(options.levels ?? LEVELS)
    last = Math.max(last, Math.floor(frame.receivedAt + offset))
    const quote = top && { symbol, ...top, time: frame.stateAt ?? frame.receivedAt + offset }
    const reason = gap ?? (quote && quoteProblem(quote))
    const rejected = reason === undefined ? [] : [{ venue: market, symbol, where, reason }]
    const quotes: Quote[] = quote && reason === undefined ? [quote] : []
    if (quotes.length + rejected.length === 0) continue
    yield { time: last, messages: splitByBoard(market, quotes, options.boardOf), rejected }
  }
}

function applyFrame(book: DepthBook, { what }: Frame): string | undefined {
  if (what.kind === 'difference') return book.apply(what.difference)
  if (what.kind === 'snapshot') book.snapshot(what.id, what.bids, what.asks)
  else if (what.kind === 'ticker') book.ticker(what.ticker)
  return undefined
}

async function readHead(path: string): Promise<{ market: Market; offsets: number[] }> {
  let market: Market | undefined
  const offsets: number[] = []
  for await (const line of head(path)) {
    market ??= marketOf(line.text)
    const { sentAt, receivedAt } = parseFrame(line, path)
    if (sentAt !== undefined) offsets.push(sentAt - receivedAt)
  }
  if (market === undefined) throw invalidRecording(path, `no frame of a known market in ${HEAD_LINES} lines`)
  return { market, offsets: offsets.slice(0, OFFSET_WINDOW) }
}

async function* head(path: string): AsyncGenerator<Line> {
  for await (const line of readLines(path)) {
    if (line.number > HEAD_LINES) return
    yield line
  }
}

/** The median of the last frames' (exchange time − receive time): single late frames do not move it. */
function openOffset(seed: readonly number[]): { observe(frame: Frame): number } {
  const recent = [...seed]
  let median = medianOf(recent)
  let since = 0
  return {
    observe({ sentAt, receivedAt }) {
      if (sentAt !== undefined) {
        recent.push(sentAt - receivedAt)
        if (recent.length > OFFSET_WINDOW) recent.shift()
        since += 1
        if (since === OFFSET_WINDOW) {
          median = medianOf(recent)
          since = 0
        }
      }
      return median
    },
  }
}

const medianOf = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
