// A board is the set of symbols that are read together: the key of `market.quotes`. By default each symbol is its
// own board, so that detection spreads over partitions; MARKET_BOARDS joins the symbols that must meet in one.
import { SluiceError } from '../kernel/index.ts'
import { type Quote, type QuoteMessage, symbolName } from './market.ts'

/** The board of a symbol. Total: an unlisted symbol is its own board. */
export type BoardOf = (symbol: string) => string

const BOARD_NAME = /^[A-Za-z0-9_.-]{1,64}$/
const FORM = 'name=SYM,SYM;name=SYM'

/** Reads MARKET_BOARDS (`fx=EUR/USD,GBP/USD;majors=BTC/USDT,ETH/USDT`). Throws CONFIG_INVALID. */
export function parseBoards(text: string): BoardOf {
  const boards = new Map<string, string>()
  const names = new Set<string>()
  for (const part of text.split(';').map((p) => p.trim())) {
    if (part === '') continue
    const [name = '', list, ...rest] = part.split('=').map((p) => p.trim())
    if (!BOARD_NAME.test(name) || list === undefined || rest.length > 0) throw wrong(part, `allowed: ${FORM}`)
    if (names.has(name)) throw wrong(part, `board ${name} is given twice`)
    names.add(name)
    for (const symbol of list.split(',').map((s) => s.trim().toUpperCase())) {
      if (!symbolName.safeParse(symbol).success) throw wrong(part, `${symbol || '(empty)'} is not BASE/QUOTE`)
      const other = boards.get(symbol)
      if (other !== undefined) throw wrong(part, `${symbol} is already on board ${other}`)
      boards.set(symbol, name)
    }
  }
  return (symbol) => boards.get(symbol) ?? symbol
}

/** One message of a venue as one message for each board it touches, in the order of first mention. */
export function splitByBoard(
  venue: string,
  quotes: readonly Quote[],
  boardOf: BoardOf,
  simulated = false,
): QuoteMessage[] {
  const byBoard = new Map<string, QuoteMessage>()
  for (const quote of quotes) {
    const board = boardOf(quote.symbol)
    const message = byBoard.get(board)
    if (message) message.quotes.push(quote)
    else byBoard.set(board, { venue, board, quotes: [quote], simulated })
  }
  return [...byBoard.values()]
}

const wrong = (part: string, why: string) =>
  new SluiceError('CONFIG_INVALID', `MARKET_BOARDS has ${JSON.stringify(part)}; ${why}`, { part })
