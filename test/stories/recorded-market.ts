// The recorded Brazilian market as a story's input: the whole file or its first snapshots, and what a detector that
// runs undisturbed in one process makes of it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { detector } from '../../src/arbitrage/index.ts'
import { type Entry, type Outgoing, partitionOf } from '../../src/bus/index.ts'
import { marketQuotes, type Opportunity, type QuoteMessage } from '../../src/catalog/index.ts'
import { readConfig, systemClock } from '../../src/kernel/index.ts'
import { feedTask, marketEmitter } from '../../src/market/index.ts'
import { openVenues } from '../../src/venues/index.ts'
import { readLines } from '../../src/venues/recordings/lines.ts'
import type { Settings } from '../support/system.ts'

export const BRL = 'brl/books.jsonl.zst'

export interface Part {
  readonly path: string
  remove(): void
}

/** The snapshots from line `from` on, `count` of them, as a file of their own. */
export async function partOf(path: string, from: number, count: number): Promise<Part> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-recording-'))
  const lines: string[] = []
  for await (const { number, text } of readLines(path)) {
    if (number >= from + count) break
    if (number >= from) lines.push(`${text}\n`)
  }
  const part = join(folder, 'part.jsonl')
  writeFileSync(part, lines.join(''))
  return { path: part, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** Settings under which the result is a function of the recording. */
export const recordedSettings = (path: string, more: Settings = {}): Settings => ({
  FEED: `replay:${path}`,
  FEED_SPEED: '0',
  MARKET_TIME: 'event',
  FEE_BPS: '5',
  BOOK_LEVELS: '20',
  ...more,
})

/** What the fold says when nothing ever happens to it, in order. */
export async function undisturbed(settings: Settings): Promise<Opportunity[]> {
  const config = readConfig(settings)
  const venues = openVenues(config)
  const published: Outgoing[] = []
  const publish = async (events: readonly Outgoing[]) => {
    published.push(...events)
    return []
  }
  const feed = feedTask({ bus: { publish }, venues, config, clock: systemClock, events: marketEmitter() })
  await feed(new AbortController().signal)
  const { start, apply } = detector(venues, config)
  const states = new Map<number, ReturnType<typeof start>>()
  return published.flatMap((event, i) => {
    const entry = entryOf(event as Outgoing<QuoteMessage>, i)
    const state = states.get(entry.partition) ?? start()
    states.set(entry.partition, state)
    return apply(state, entry).events.map(({ data }) => data as Opportunity)
  })
}

function entryOf({ id, data, time = 0 }: Outgoing<QuoteMessage>, i: number): Entry<QuoteMessage> {
  const key = marketQuotes.key(data)
  return {
    ...{ id, data, time, key },
    type: marketQuotes.name,
    source: 'test',
    sequence: i + 1,
    traceparent: undefined,
    stream: marketQuotes.name,
    partition: partitionOf(marketQuotes, key),
    entry: `${i + 1}-0`,
    attempt: 1,
  }
}
