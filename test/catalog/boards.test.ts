import { describe, expect, it } from 'vitest'
import { parseBoards, splitByBoard } from '../../src/catalog/index.ts'
import { isSluiceError, messageOf } from '../../src/kernel/index.ts'

const quote = (symbol: string) => ({ symbol, bids: [], asks: [], time: 1 })

describe('boards', () => {
  it('make each symbol its own board unless joined', () => {
    const boardOf = parseBoards('fx=EUR/USD, gbp/usd;majors=BTC/USDT')
    expect(['EUR/USD', 'GBP/USD', 'BTC/USDT', 'ETH/USDT'].map(boardOf)).toEqual([
      'fx',
      'fx',
      'majors',
      'ETH/USDT',
    ])
    expect(parseBoards('')('EUR/USD')).toBe('EUR/USD')
  })

  it('split a message of a venue without reordering the quotes of a board', () => {
    const quotes = ['EUR/USD', 'BTC/USDT', 'GBP/USD', 'EUR/USD'].map(quote)
    const messages = splitByBoard('v', quotes, parseBoards('fx=EUR/USD,GBP/USD'), true)
    expect(messages.map((m) => [m.board, m.simulated, m.quotes.map((q) => q.symbol)])).toEqual([
      ['fx', true, ['EUR/USD', 'GBP/USD', 'EUR/USD']],
      ['BTC/USDT', true, ['BTC/USDT']],
    ])
  })

  it('refuse a wrong setting, naming the part and what is allowed', () => {
    const problem = (text: string) => {
      try {
        parseBoards(text)
        return 'accepted'
      } catch (error) {
        return isSluiceError(error, 'CONFIG_INVALID') ? messageOf(error) : error
      }
    }
    expect(problem('fx')).toContain('name=SYM,SYM')
    expect(problem('f x=EUR/USD')).toContain('"f x=EUR/USD"')
    expect(problem('fx=EURUSD')).toContain('EURUSD is not BASE/QUOTE')
    expect(problem('fx=')).toContain('(empty)')
    expect(problem('fx=EUR/USD;fy=EUR/USD')).toContain('already on board fx')
    expect(problem('fx=EUR/USD;fx=GBP/USD')).toContain('given twice')
  })
})
