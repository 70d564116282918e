// A signal on its way out: once to the stream, once to the channel, and not again for five minutes of market time
// while nothing about it is new.
import { type FoldOutput, outgoing } from '../bus/index.ts'
import { type Signal, signalChannel, signals } from '../catalog/index.ts'
import { deriveId, isoTime } from '../kernel/index.ts'
import { type Assessment, scoreOf } from './score.ts'

/** Fingerprint → when it was said, ms. */
export type Said = Record<string, number>

const QUIET_MS = 5 * 60_000
const LIFE_MS = 15 * 60_000

export interface Finding
  extends Pick<Signal, 'kind' | 'symbol' | 'action' | 'indicators' | 'venues' | 'price'> {
  readonly assessment: Assessment
  readonly simulated: boolean
  readonly time: number
  /** Event id of the entry that caused it. */
  readonly causedBy: string
}

/** Undefined when the same was said within five minutes. Remembers what it says in `said`. */
export function announce(
  said: Said,
  finding: Finding,
): { [K in keyof FoldOutput]-?: FoldOutput[K] } | undefined {
  const { kind, symbol, action, assessment, simulated, time } = finding
  const indicators = finding.indicators.toSorted()
  const venues = finding.venues.toSorted()
  // What technical analysis says does not depend on which venues happened to be heard.
  const about = kind === 'technical' ? indicators : [...indicators, ...venues]
  const fingerprint = [kind, simulated ? 'simulated' : 'market', symbol, action, ...about].join(' ')
  for (const [key, at] of Object.entries(said)) if (time - at >= QUIET_MS) delete said[key]
  if (said[fingerprint] !== undefined) return undefined
  said[fingerprint] = time
  const data: Signal = {
    kind,
    symbol,
    action,
    strength: assessment.strength,
    confidence: assessment.confidence,
    risk: assessment.risk,
    score: scoreOf(kind, assessment),
    indicators,
    venues,
    price: finding.price,
    simulated,
    time,
    expiresAt: time + LIFE_MS,
  }
  const id = deriveId('signal', fingerprint, finding.causedBy)
  return {
    events: [outgoing(signals, id, data, { type: `${signals.name}.${kind}`, time })],
    tell: [{ channel: signalChannel(kind), message: envelopeOf(id, data) }],
  }
}

/** The form in which the reference system tells things on channels. */
const envelopeOf = (id: string, data: Signal): string =>
  JSON.stringify({
    type: 'signal',
    channel: signalChannel(data.kind),
    exchange: data.venues.join(','),
    symbol: data.symbol,
    data,
    timestamp: isoTime(data.time),
    trace_id: id,
  })
