// Raw frames of Binance markets as books: differences and snapshots keep the depth, book tickers put the newest best
// prices on top. Files of one recorder are read together in the order of arrival, which is what a live reader would
// have seen. Its clock was 1.27 s behind the exchange's, so quotes carry the exchange's times; what has none is
// stamped by the recorder's clock plus the offset that the other frames show.
import { type Quote, splitByBoard } from '../../catalog/index.ts'
import { type Frame, type Market, marketOf, parseFrame, symbolOfCode } from './binance-frame.ts'
import { type DepthBook, openDepthBook } from './depth-book.ts'
import { type Line, readLines } from './lines.ts'
import { mergeOrdered } from './merge.ts'
import { invalidRecording, quoteProblem, type ReadOptions, type RecordingStep } from './recording.ts'

const LEVELS = 20
// Enough frames to meet one with a time of its own, and one that only a single market can have sent.
const HEAD_LINES = 500
const OFFSET_WINDOW = 101

interface File {
  readonly path: string
  readonly market: Market
  readonly books: Map<string, DepthBook>
  /** The last code a frame named: a spot snapshot names none. */
  code: string | undefined
}

export async function* readBinance(
  paths: readonly string[],
  options: ReadOptions,
): AsyncGenerator<RecordingStep> {
  const heads = await Promise.all(paths.map(readHead))
  const clock = openOffset(heads.flatMap((head) => head.offsets))
  const files = heads.map((head, i): File => {
    return { path: paths[i]!, market: head.market, books: new Map(), code: undefined }
  })
  let last = 0
  for await (const { file, line } of mergeOrdered(files.map(linesOf), arrivedBefore)) {
    const frame = parseFrame(line, file.path)
    const offset = clock.observe(frame)
    file.code = frame.code ?? file.code
    if (frame.what.kind === 'other') continue
    const arrivedAt = frame.receivedAt + offset
    last = Math.max(last, Math.floor(arrivedAt))
    const step = stepOf(file, frame, `${file.path} line ${line.number}`, arrivedAt, options)
    if (step.messages.length + step.rejected.length > 0) yield { time: last, ...step }
  }
}

async function* linesOf(file: File): AsyncGenerator<{ file: File; line: Line }> {
  for await (const line of readLines(file.path)) yield { file, line }
}

// 19 digits of ns at the head of each line: the order of the texts is the order of the numbers.
const arrivedBefore = (a: { line: Line }, b: { line: Line }) =>
  a.line.text.slice(0, 19) < b.line.text.slice(0, 19)

function stepOf(
  file: File,
  frame: Frame,
  where: string,
  arrivedAt: number,
  { boardOf, levels }: ReadOptions,
): Omit<RecordingStep, 'time'> {
  const symbol = file.code === undefined ? undefined : symbolOfCode(file.code)
  if (symbol === undefined)
    throw invalidRecording(where, `no symbol is known for ${JSON.stringify(file.code)}`)
  const book = file.books.get(symbol) ?? openDepthBook()
  file.books.set(symbol, book)
  const gap = applyFrame(book, frame)
  const top = book.top(levels ?? LEVELS)
  const quote = top && { symbol, ...top, time: frame.stateAt ?? arrivedAt }
  const reason = gap ?? (quote && quoteProblem(quote))
  if (reason !== undefined) return { messages: [], rejected: [{ venue: file.market, symbol, where, reason }] }
  const quotes: Quote[] = quote ? [quote] : []
  return { messages: splitByBoard(file.market, quotes, boardOf), rejected: [] }
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
  for await (const line of readLines(path)) {
    if (line.number > HEAD_LINES) break
    market ??= marketOf(line.text)
    const { sentAt, receivedAt } = parseFrame(line, path)
    if (sentAt !== undefined) offsets.push(sentAt - receivedAt)
  }
  if (market === undefined) throw invalidRecording(path, `no frame of a known market in ${HEAD_LINES} lines`)
  return { market, offsets: offsets.slice(0, OFFSET_WINDOW) }
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
        recent.splice(0, recent.length - OFFSET_WINDOW)
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
