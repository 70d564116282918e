// Every stream. A new one is one declaration here; its consumers name it, nothing else lists it.
import { z } from 'zod'
import { defineStream, type Stream } from '../bus/index.ts'
import { SluiceError } from '../kernel/index.ts'
import { candlesChanged, marketCandles } from './candles.ts'
import { inputFunding, marketFunding } from './funding.ts'
import { type InsightRecord, insightKey, insightRecord } from './insights.ts'
import { type InputRejected, inputRejected, type QuoteMessage, quoteMessage } from './market.ts'
import {
  type ExecutionEvent,
  executionEvent,
  type Opportunity,
  opportunity,
  type Signal,
  signal,
} from './trading.ts'

/** What an outside feed may XADD: one field `data` with the JSON that it would also PUBLISH (docs/FEEDING.md). */
export const inputQuotes = defineStream<unknown>({
  name: 'input.quotes',
  about: 'Quotes as outside programs send them, not yet checked. XADD is open to everyone.',
  shape: z.unknown(),
  key: () => 'input',
  partitions: 1,
  // Redis itself cannot refuse an outside XADD; the bridge refuses at this size and says so.
  maxPayloadBytes: 16_000_000,
})

export const rejectedInput = defineStream<InputRejected>({
  name: 'input.rejected',
  about: 'Messages from outside that were not used, with the reason. Nobody has to read it.',
  shape: inputRejected,
  key: (r) => r.reason,
  partitions: 1,
  retentionMs: 3_600_000,
  // When it is full, rejections are only counted: bad input must never hold up good input.
  maxEntries: 10_000,
})

export const marketQuotes = defineStream<QuoteMessage>({
  name: 'market.quotes',
  about: 'Checked quotes, one entry for each message of a venue and board.',
  shape: quoteMessage,
  key: (message) => message.board,
  retentionMs: 120_000,
  dedupeMs: 60_000,
})

export const signals = defineStream<Signal>({
  name: 'signals',
  about: 'Scored advice of the signal processors.',
  shape: signal,
  key: (s) => s.symbol,
  partitions: 4,
})

export const opportunities = defineStream<Opportunity>({
  name: 'arbitrage.opportunities',
  about: 'Opportunities at first and at last sight.',
  shape: opportunity,
  key: (o) => o.symbol,
  partitions: 8,
  dedupeMs: 3_600_000,
  durable: true,
})

export const executions = defineStream<ExecutionEvent>({
  name: 'arbitrage.executions',
  about: 'Fills, and the end of each execution.',
  shape: executionEvent,
  key: (e) => e.symbol,
  partitions: 8,
  dedupeMs: 3_600_000,
  durable: true,
})

/** What an outside program may XADD: one field `data` with the JSON of a record (docs/INSIGHTS.md). */
export const inputRecords = defineStream<unknown>({
  name: 'input.records',
  about:
    'What models and analyses say, as outside programs send it, not yet checked. XADD is open to everyone.',
  shape: z.unknown(),
  key: () => 'input',
  partitions: 1,
})

export const insightRecords = defineStream<InsightRecord>({
  name: 'insights.records',
  about: 'Checked records of what models say and decide and of what analyses know.',
  shape: insightRecord,
  key: insightKey,
  partitions: 8,
  dedupeMs: 3_600_000,
  // A number of four characters in `input.records` (1e20) may have 21 here.
  maxPayloadBytes: 8_000_000,
  durable: true,
})

/** In the order in which data flows through them. */
export const STREAMS: readonly Stream<unknown>[] = [
  inputQuotes,
  inputFunding,
  rejectedInput,
  marketQuotes,
  marketFunding,
  marketCandles,
  candlesChanged,
  signals,
  opportunities,
  executions,
  inputRecords,
  insightRecords,
]

/** Throws USAGE with the names that there are. */
export function streamNamed(name: string): Stream<unknown> {
  const stream = STREAMS.find((one) => one.name === name)
  if (stream) return stream
  const allowed = STREAMS.map((one) => one.name).join(', ')
  throw new SluiceError('USAGE', `There is no stream ${name}; allowed: ${allowed}`, { name })
}
