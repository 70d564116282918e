import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Bus, Entry } from '../../src/bus/index.ts'
import { marketQuotes, type QuoteMessage } from '../../src/catalog/index.ts'
import { type Clock, systemClock } from '../../src/kernel/index.ts'
import { bookInForce, entryBefore } from '../../src/venues/book-in-force.ts'

/** The entries of one partition, read back as Redis does: the ids behind `after`, at most `count`. */
function streamOf(times: readonly number[]): Pick<Bus, 'readBack'> {
  const entries = times.map((time, i): Entry<QuoteMessage> => {
    const quotes = [{ symbol: 'A/B', bids: [], asks: [[i + 1, 1] as [number, number]], time }]
    const data = { venue: 'v', board: 'A/B', quotes, simulated: true }
    const entry = `${100 + Math.floor(i / 3)}-${i % 3}`
    const rest = { id: `${i}`, type: 't', source: 's', key: 'k', sequence: i + 1, traceparent: undefined }
    return { ...rest, time, data, stream: marketQuotes.name, partition: 0, entry, attempt: 1 }
  })
  return {
    readBack: async <T>(_stream: unknown, _partition: number, after: string, count: number) =>
      entries.filter((e) => isAfter(e.entry, after)).slice(0, count) as Entry<T>[],
  }
}

function isAfter(entry: string, after: string): boolean {
  const [ms, sequence] = entry.split('-').map(BigInt) as [bigint, bigint]
  const [afterMs, afterSequence] = after.split('-').map(BigInt) as [bigint, bigint]
  return ms > afterMs || (ms === afterMs && sequence > afterSequence)
}

const never = new AbortController().signal
const late: Clock = { ...systemClock, now: () => 1e15 }
const ask = (times: readonly number[], marketTime: 'wall' | 'event', from: number, arrivesAt: number) =>
  bookInForce(
    { bus: streamOf(times), clock: late, marketTime },
    {
      venue: 'v',
      symbol: 'A/B',
      decidedOn: {
        stream: marketQuotes.name,
        partition: 0,
        entry: `${100 + Math.floor(from / 3)}-${from % 3}`,
      },
      arrivesAt,
    },
    never,
  ).then((book) => book && book.asks[0]![0] - 1)

describe('the book in force', () => {
  it('is the last one at or before the arrival, from the entry of the decision on', async () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 1_400 })
    await fc.assert(
      fc.asyncProperty(gaps, fc.nat(), fc.integer({ min: 0, max: 40 }), async (steps, pick, latency) => {
        let time = 1_000
        const times = steps.map((gap) => {
          time += gap
          return time
        })
        const from = pick % times.length
        const arrivesAt = times[from]! + latency
        // The end of a recording: an entry that is late enough to know.
        const closed = [...times, time + 10_000]
        const expected = times.findLastIndex((t) => t <= arrivesAt)
        expect(await ask(closed, 'event', from, arrivesAt)).toBe(expected)
        expect(await ask(closed, 'wall', from, arrivesAt)).toBe(expected)
      }),
      { numRuns: 60 },
    )
  })

  it('on the wall looks behind entries of publishers whose clocks are ahead', async () => {
    expect(await ask([1_000, 1_030, 1_010], 'wall', 0, 1_020)).toBe(2)
  })
})

describe('the id before an entry', () => {
  it('is the greatest one below it', () => {
    expect(entryBefore('5-3')).toBe('5-2')
    expect(entryBefore('5-0')).toBe('4-18446744073709551615')
    expect(entryBefore('5-18446744073709551615')).toBe('5-18446744073709551614')
  })
})
