import { describe, expect, it, vi } from 'vitest'
import { parseBoards, type Quote, quoteMessage } from '../../src/catalog/index.ts'
import { openRecording, type RecordingStep } from '../../src/venues/index.ts'
import { recording } from '../support/recordings.ts'

// 320 MB of JSON: 6 s on an idle machine, half a minute on a busy one.
vi.setConfig({ testTimeout: 240_000 })

const boardOf = parseBoards('')
const books = recording('brl/books.jsonl.zst')
const ticks = recording('ticks')
const binance = recording('binance')

async function tally(path: string, options: { levels?: number } = {}, see?: (step: RecordingStep) => void) {
  const counts: Record<string, number> = {}
  const rejected: Record<string, number> = {}
  let [steps, last, unfit] = [0, 0, 0]
  const opened = await openRecording(path, { boardOf, ...options })
  for await (const step of opened.steps()) {
    steps += 1
    if (step.time < last) throw new Error(`time goes back in step ${steps}`)
    last = step.time
    for (const message of step.messages) {
      counts[message.venue] = (counts[message.venue] ?? 0) + message.quotes.length
      // The shape's own check of every message would take longer than reading them.
      if (steps % 97 === 0 && !quoteMessage.safeParse(message).success) unfit += 1
    }
    for (const { venue, reason } of step.rejected) {
      rejected[`${venue}: ${reason}`] = (rejected[`${venue}: ${reason}`] ?? 0) + 1
    }
    see?.(step)
  }
  return { format: opened.format, steps, counts, rejected, unfit }
}

describe('the recorded books', () => {
  it.skipIf(!books)('are 14,467 snapshots of two venues, 20 and up to 1,000 levels deep', async () => {
    const deepest: Record<string, number> = {}
    const result = await tally(books!, {}, ({ messages: [message] }) => {
      const { bids, asks } = message!.quotes[0]!
      deepest[message!.venue] = Math.max(deepest[message!.venue] ?? 0, bids.length, asks.length)
    })
    expect(result).toMatchObject({ format: 'books', steps: 14_467, rejected: {}, unfit: 0 })
    expect((result.counts['EX1'] ?? 0) + (result.counts['EX2'] ?? 0)).toBe(14_467)
    expect(deepest).toEqual({ EX1: 20, EX2: 1_000 })
  })
})

describe('the recorded ticks', () => {
  it.skipIf(!ticks)('are 101,960, of which 33,783 of YOFX are valid, in 7 symbols', async () => {
    const symbols = new Set<string>()
    let [valid, locked, shared] = [0, 0, 0]
    const result = await tally(ticks!, {}, ({ messages, rejected }) => {
      const seen = new Set<string>()
      const all = messages.flatMap(({ venue, quotes }) => quotes.map((q) => ({ venue, q })))
      for (const { venue, q } of all) {
        if (venue === 'YOFX') symbols.add(q.symbol)
        if (isLocked(q)) locked += 1
        valid += 1
      }
      for (const { venue, symbol } of [
        ...all.map(({ venue, q }) => ({ venue, symbol: q.symbol })),
        ...rejected,
      ]) {
        if (seen.has(`${venue} ${symbol}`)) shared += 1
        seen.add(`${venue} ${symbol}`)
      }
    })
    expect(result).toMatchObject({ format: 'ticks', unfit: 0 })
    expect(result.counts['YOFX']).toBe(33_783)
    expect(symbols.size).toBe(7)
    const sumOf = (word: string) =>
      Object.entries(result.rejected).reduce((sum, [reason, n]) => (reason.includes(word) ? sum + n : sum), 0)
    expect(sumOf('price is not positive')).toBe(3_253)
    expect(sumOf('crossed')).toBe(40)
    expect(locked).toBe(57)
    expect(valid + sumOf('')).toBe(101_960)
    // One step holds all ticks of one moment, so a repeat within it shares symbol, source and time.
    expect(shared).toBe(25_859)
  })
})

const isLocked = ({ bids, asks }: Quote) => bids[0]?.[0] === asks[0]?.[0]

describe('the recorded Binance frames', () => {
  it.skipIf(!binance)(
    'give books of three venues without a gap, and the measured edge of spot over perpetual',
    async () => {
      const best: Record<string, Quote> = {}
      const edges: number[] = []
      const result = await tally(binance!, {}, ({ messages }) => {
        for (const { venue, quotes } of messages) best[venue] = quotes.at(-1)!
        const [spot, perp] = [best['binance-spot'], best['binance-usdm']]
        if (spot && perp) edges.push((spot.bids[0]![0] / perp.asks[0]![0] - 1) * 10_000)
      })
      expect(result).toMatchObject({ format: 'binance', rejected: {}, unfit: 0 })
      // Every book ticker, difference and snapshot after the first of its file: 28,040 + 3,451 + 1 and so on, less
      // the differences that came before anything was known.
      expect(result.counts).toEqual({
        'binance-spot': 31_490,
        'binance-usdm': 72_640,
        'binance-coinm': 45_981,
      })
      edges.sort((a, b) => a - b)
      // Published: p50 3.69, max 11.04 bps, at book tickers; here also at every difference.
      expect(edges[Math.floor(edges.length * 0.5)]).toBeCloseTo(3.69, 1)
      expect(edges.at(-1)).toBeCloseTo(11.041, 2)
    },
  )

  it.skipIf(!binance)(
    'stamp what carries no time by the exchange, not by a recorder 1.27 s behind',
    async () => {
      const ages: number[] = []
      await tally(recording('binance/spot')!, {}, ({ time, messages }) => {
        for (const quote of messages.flatMap((m) => m.quotes)) ages.push(Math.abs(time - quote.time))
      })
      ages.sort((a, b) => a - b)
      expect(ages[Math.floor(ages.length * 0.99)]).toBeLessThan(50)
    },
  )
})
