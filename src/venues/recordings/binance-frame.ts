// One line of a Binance recording: receive time in ns, a space, a websocket frame or a REST answer. The three
// markets use nearly the same words; what differs (who stamps times, what a quantity counts) is told apart here.
import type { Level } from '../../catalog/index.ts'
import { messageOf } from '../../kernel/index.ts'
import type { Difference, Ticker } from './depth-book.ts'
import type { Line } from './lines.ts'
import { invalidRecording } from './recording.ts'

export type Market = 'binance-spot' | 'binance-usdm' | 'binance-coinm'

export interface Frame {
  /** ms on the recorder's clock. */
  readonly receivedAt: number
  /** When the exchange sent it, ms; spot book tickers and snapshots carry none. */
  readonly sentAt: number | undefined
  /** When the state was true at the exchange, ms. */
  readonly stateAt: number | undefined
  /** As Binance writes it; a spot snapshot names none. */
  readonly code: string | undefined
  readonly what:
    | { readonly kind: 'difference'; readonly difference: Difference }
    | { readonly kind: 'ticker'; readonly ticker: Ticker }
    | {
        readonly kind: 'snapshot'
        readonly id: number
        readonly bids: readonly Level[]
        readonly asks: readonly Level[]
      }
    | { readonly kind: 'other' }
}

// The words of all three markets; what Binance calls them is all that is known about their values.
type Word =
  | ('data' | 'stream' | 'e' | 'E' | 'T' | 's' | 'symbol' | 'ps' | 'pair' | 'lastUpdateId')
  | ('U' | 'u' | 'pu' | 'b' | 'B' | 'a' | 'A' | 'bids' | 'asks')
type Words = { readonly [K in Word]?: unknown }

/** Throws RECORDING_INVALID for what is no frame. */
export function parseFrame({ text, number }: Line, path: string): Frame {
  const where = `${path} line ${number}`
  const space = text.indexOf(' ')
  const stamp = text.slice(0, space)
  if (!/^\d{19}$/.test(stamp)) throw invalidRecording(where, 'does not begin with a time in ns')
  let value: Words
  try {
    value = JSON.parse(text.slice(space + 1))
  } catch (error) {
    throw invalidRecording(where, `is not JSON: ${messageOf(error)}`, error)
  }
  const data = (value.data ?? value) as Words
  const receivedAt = Number(stamp.slice(0, 13)) + Number(stamp.slice(13)) / 1e6
  const sentAt = timeOf(data.E)
  const code = data.s ?? data.symbol
  return {
    receivedAt,
    sentAt,
    stateAt: timeOf(data.T) ?? sentAt,
    code: typeof code === 'string' ? code : undefined,
    what: whatOf(data, String(value.stream ?? ''), where),
  }
}

function whatOf(data: Words, stream: string, where: string): Frame['what'] {
  const { coin, contract } = contractOf(data)
  const level = (pair: unknown): Level => {
    const [price, quantity] = Array.isArray(pair) ? pair.map(Number) : []
    if (!(price! > 0) || !(quantity! >= 0)) throw invalidRecording(where, `level is ${JSON.stringify(pair)}`)
    return [price!, coin ? (quantity! * contract) / price! : quantity!]
  }
  const levels = (side: unknown) => {
    if (!Array.isArray(side)) throw invalidRecording(where, 'lacks bids or asks')
    return side.map(level)
  }
  const id = (name: Word) => {
    if (typeof data[name] !== 'number') throw invalidRecording(where, `lacks the update id ${name}`)
    return data[name]
  }
  if (data.lastUpdateId !== undefined) {
    const [bids, asks] = [levels(data.bids), levels(data.asks)]
    return { kind: 'snapshot', id: id('lastUpdateId'), bids, asks }
  }
  if (data.e === 'depthUpdate') {
    const previousId = data.pu === undefined ? undefined : id('pu')
    const [bids, asks] = [levels(data.b), levels(data.a)]
    return { kind: 'difference', difference: { firstId: id('U'), lastId: id('u'), previousId, bids, asks } }
  }
  if (data.e === 'bookTicker' || stream.endsWith('@bookTicker')) {
    const bid = level([data.b, data.B])
    return { kind: 'ticker', ticker: { id: id('u'), bid, ask: level([data.a, data.A]) } }
  }
  return { kind: 'other' }
}

// Coin-margined quantities count contracts: of 100 USD for BTC, of 10 USD for every other coin.
function contractOf(data: Words): { coin: boolean; contract: number } {
  const pair = data.ps ?? data.pair
  return { coin: pair !== undefined, contract: pair === 'BTCUSD' ? 100 : 10 }
}

/** Which market a frame can only come from; undefined when several use the same words. */
export function marketOf(text: string): Market | undefined {
  if (/"(ps|pair)":/.test(text)) return 'binance-coinm'
  if (/"pu":|"e":"bookTicker"/.test(text)) return 'binance-usdm'
  return /"e":"depthUpdate"|@bookTicker","data":\{"u"/.test(text) ? 'binance-spot' : undefined
}

const QUOTES = ['USDT', 'USDC', 'FDUSD', 'BUSD', 'TUSD', 'USD', 'BTC', 'ETH', 'BNB', 'EUR', 'BRL', 'TRY']

/** BTCUSDT is BTC/USDT and BTCUSD_PERP is BTC/USD; a dated contract keeps its date, for it is another thing. */
export function symbolOfCode(code: string): string | undefined {
  const [pair = '', contract = 'PERP'] = code.split('_')
  const quote = QUOTES.find((q) => pair.endsWith(q) && pair.length > q.length)
  if (quote === undefined) return undefined
  return `${pair.slice(0, -quote.length)}/${quote}${contract === 'PERP' ? '' : contract}`
}

const timeOf = (value: unknown): number | undefined =>
  typeof value === 'number' && value > 0 ? value : undefined
