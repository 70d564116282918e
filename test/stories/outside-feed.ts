// A program that feeds quotes from outside: good ones through every way in, and everything that may come by mistake.
import { partitionKeys } from '../../src/bus/index.ts'
import { inputChannels, inputQuotes } from '../../src/catalog/index.ts'
import type { RejectReason } from '../../src/market/index.ts'
import type { Redis } from '../../src/redis/index.ts'

export const INPUT = partitionKeys(inputQuotes.name, 0).entries
/** Symbols by the way in. A batch carries a quote of each of its two. */
export const CHANNEL = 'BTC/USDT'
export const BATCHED = 'SOL/USDT'
export const STREAMED = 'ETH/USDT'
const VENUE = 'demo-a'

const tick = (i: number, startMs: number) => ({
  bid: 100 + i,
  ask: 101 + i,
  bidSize: 1,
  askSize: 2,
  time: startMs + i,
})

/** Sends message `i`: a ticker, a book, a batch or an entry of the input stream. */
export async function sendGood(client: Redis, i: number, startMs: number): Promise<void> {
  const { bid, ask, time } = tick(i, startMs)
  if (i % 4 === 0)
    await client.publish(inputChannels.ticker(VENUE, CHANNEL), JSON.stringify(tick(i, startMs)))
  else if (i % 4 === 1) {
    const book = { bids: [[String(bid), '1']], asks: [[ask, 2]], time }
    await client.publish(inputChannels.orderbook(VENUE, 'btc-usdt'), JSON.stringify(book))
  } else if (i % 4 === 2) {
    const both = [CHANNEL, BATCHED].map((symbol) => ({ symbol, ...tick(i, startMs) }))
    await client.publish(inputChannels.batch(VENUE), JSON.stringify(both))
  } else {
    const data = JSON.stringify({ venue: VENUE, symbol: STREAMED, ...tick(i, startMs) })
    await client.xadd(INPUT, '*', 'data', data)
  }
}

export interface Hostile {
  readonly what: string
  readonly text: string | Buffer
  readonly reason: RejectReason
  readonly venue?: string
}

const nested = `${'['.repeat(100_000)}${']'.repeat(100_000)}`

/** As channel messages; each differs from the others, because equal ones are kept once. */
export function hostileMessages(now: number): Hostile[] {
  const good = { bid: 100, ask: 101, bidSize: 1, askSize: 1, time: now }
  const { bidSize: _, ...sizeless } = good
  const as = (more: object) => JSON.stringify({ ...good, ...more })
  const raw = (field: string, value: string) =>
    as({ [field]: 0 }).replace(`"${field}":0`, `"${field}":${value}`)
  return [
    { what: 'text', text: 'not json', reason: 'not_json' },
    { what: 'half an object', text: '{"bid":1,', reason: 'not_json' },
    { what: 'bytes', text: Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x7b]), reason: 'not_json' },
    { what: 'NaN', text: raw('bid', 'NaN'), reason: 'not_json' },
    { what: 'Infinity', text: raw('bid', '-Infinity'), reason: 'not_json' },
    { what: 'a number beyond float64', text: raw('ask', '1e999'), reason: 'bad_price' },
    { what: 'a number of 5,000 digits', text: raw('bid', '9'.repeat(5_000)), reason: 'bad_price' },
    { what: 'a negative price', text: as({ bid: -5 }), reason: 'bad_price' },
    { what: 'a price of null', text: as({ bid: null }), reason: 'bad_price' },
    { what: 'a size of zero', text: as({ askSize: 0 }), reason: 'bad_size' },
    { what: 'no size', text: JSON.stringify(sizeless), reason: 'missing_field' },
    { what: 'a crossed quote', text: as({ bid: 200 }), reason: 'crossed' },
    { what: 'the year 5138', text: as({ time: 1e14 }), reason: 'bad_time' },
    { what: 'a time before 1970', text: as({ time: -1 }), reason: 'bad_time' },
    { what: 'a time that is none', text: as({ time: 'yesterday' }), reason: 'bad_time' },
    { what: 'an unknown venue', text: as({}), reason: 'unknown_venue', venue: 'nowhere' },
    { what: 'a deep nesting', text: nested, reason: 'bad_shape' },
    { what: 'an array of nothing', text: '[]', reason: 'bad_shape' },
    { what: 'a number', text: '17', reason: 'bad_shape' },
    { what: 'ten megabytes', text: `"${'x'.repeat(10_000_000)}"`, reason: 'too_large' },
  ]
}

/** Through the channel and through the stream, where it is given as it is. */
export async function sendHostile(client: Redis, { text, venue = VENUE }: Hostile): Promise<void> {
  await client.publish(inputChannels.ticker(venue, CHANNEL), text as string)
  await client.xadd(INPUT, '*', 'data', text as string)
}
