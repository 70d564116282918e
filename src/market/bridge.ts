// The bridge lifts what outside programs PUBLISH or XADD into `market.quotes` and `market.funding`, and the records that
// they XADD into `insights.records`. Any number may run at once: the id of an event is its content, so each message is
// stored once, and one bridge hears what another one misses.
import type { Bus, Outgoing, Stream } from '../bus/index.ts'
import { INPUT_PATTERNS, inputFunding, inputQuotes, inputRecords, parseBoards } from '../catalog/index.ts'
import { type Clock, type Config, messageOf, type Task } from '../kernel/index.ts'
import type { VenueTable } from '../venues/index.ts'
import { factsOfChannel } from './input-channel.ts'
import { type Keeper, openKeeper } from './keep-rejected.ts'
import type { MarketEmitter } from './market-events.ts'
import { type InputRules, type Normalised, normaliseText, normaliseValue, quoteEvent } from './normalise.ts'
import { fundingEventOf, fundingOfText, fundingOfValue, type NormalisedFunding } from './normalise-funding.ts'
import { type Outbound, openOutbound } from './outbound.ts'
import { readRecord } from './read-record.ts'

export interface BridgeOptions {
  readonly bus: Bus
  readonly venues: VenueTable
  readonly config: Pick<Config, 'BOOK_LEVELS' | 'MARKET_BOARDS'>
  readonly clock: Clock
  readonly events: MarketEmitter
  /** Called after each (re)subscription to the input channels is confirmed. */
  readonly onListening?: () => void
  /** Quote events of channels that wait for Redis at most. */
  readonly queueMax?: number
}

// A channel message of a megabyte is 12,000 ticks; more is a mistake, and parsing it would hold up everyone.
const CHANNEL_CHARACTERS_MAX = 1_000_000
const QUOTES_MAX = 10_000
// At 1,600 quotes/s, the measured peak of three venues, half a minute without Redis.
const QUEUE_MAX = 50_000

/** Throws CONFIG_INVALID for MARKET_BOARDS. */
export function bridgeTasks(options: BridgeOptions): Task[] {
  const { bus, config, clock, events, venues } = options
  const rules: InputRules = {
    venues,
    levels: config.BOOK_LEVELS,
    boardOf: parseBoards(config.MARKET_BOARDS),
    maxCharacters: CHANNEL_CHARACTERS_MAX,
    maxQuotes: QUOTES_MAX,
  }
  const outbound = openOutbound({ bus, clock, events, max: options.queueMax ?? QUEUE_MAX })
  const keeper = openKeeper(bus, events)
  return [
    outbound.task,
    keeper.task,
    listenTask(options, rules, outbound, keeper),
    streamTask(options, rules, keeper, inputQuotes, readQuotes),
    streamTask(options, rules, keeper, inputFunding, readRates),
    streamTask(options, rules, keeper, inputRecords, readRecords),
  ]
}

function listenTask(options: BridgeOptions, rules: InputRules, outbound: Outbound, keeper: Keeper): Task {
  const { bus, clock, events } = options
  const onMessage = (channel: string, text: string) => {
    const now = clock.now()
    const heard = hear(channel, text, now, rules)
    report(events, 'channel', heard)
    if (heard.rejections.length > 0) keeper.keep(channel, text, heard.rejections)
    if (heard.events.length === 0) return
    if (!outbound.offer(heard.events)) {
      events.emit('lost', { reason: 'queue_full', count: heard.events.length })
    }
  }
  return bus.listen(INPUT_PATTERNS, onMessage, options.onListening)
}

/** What a message became, on its way to the streams. */
interface Heard extends Pick<Normalised, 'accepted' | 'rejections'> {
  readonly events: readonly Outgoing[]
}

const hear = (channel: string, text: string, now: number, rules: InputRules): Heard =>
  factsOfChannel(channel)?.about === 'funding'
    ? fundingHeard(fundingOfText(channel, text, now, rules), now)
    : quotesHeard(normaliseText(channel, text, now, rules), now)

const quotesHeard = ({ messages, ...counts }: Normalised, time: number): Heard => ({
  ...counts,
  events: messages.map((message) => quoteEvent(message, time)),
})

const fundingHeard = ({ found, rejections }: NormalisedFunding, time: number): Heard => ({
  ...{ accepted: found.length, rejections },
  events: found.map((one) => fundingEventOf(one, time)),
})

type Read = (value: unknown, takenAt: number, rules: InputRules) => Heard

const readQuotes: Read = (value, takenAt, rules) =>
  quotesHeard(normaliseValue(undefined, value, takenAt, rules), takenAt)
const readRates: Read = (value, takenAt, rules) =>
  fundingHeard(fundingOfValue(undefined, value, takenAt, rules), takenAt)
const readRecords: Read = (value, takenAt) => {
  const read = readRecord(value, takenAt)
  if ('reason' in read) return { accepted: 0, rejections: [read], events: [] }
  return { accepted: 1, rejections: [], events: [read] }
}

/**
 * An input stream is folded in its order, in batches; an entry is acknowledged after Redis has stored what it holds.
 * Its age is that at the moment Redis took it, so a bridge that starts late or again decides the same.
 */
const streamTask = (
  { bus, events }: BridgeOptions,
  rules: InputRules,
  keeper: Keeper,
  stream: Stream<unknown>,
  read: Read,
): Task =>
  bus.fold({
    stream,
    group: 'bridge',
    start: () => null,
    apply(_state, entry) {
      const heard = read(entry.data, Number.parseInt(entry.entry, 10), rules)
      report(events, stream === inputRecords ? 'records' : 'stream', heard)
      if (heard.rejections.length > 0) {
        keeper.keep(`${entry.stream} ${entry.entry}`, textOf(entry.data), heard.rejections)
      }
      return { events: heard.events }
    },
    save: () => 'null',
    load: () => null,
  })

/** JSON.parse reads any depth and JSON.stringify ends the stack: what came as text cannot always be written again. */
function textOf(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch (error) {
    return `(not written: ${messageOf(error)})`
  }
}

function report(
  events: MarketEmitter,
  from: 'channel' | 'stream' | 'records',
  { accepted, rejections }: Heard,
): void {
  if (accepted > 0) events.emit('accepted', { from, count: accepted })
  for (const { reason } of rejections) events.emit('rejected', { from, reason, count: 1 })
}
