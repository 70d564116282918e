// A tick as it leaves the system: in answers, exports and on its channel.
import { timeText } from './parse-time.ts'
import type { Tick } from './tick.ts'

/** The reference's fields, then what it dropped. Prices are the source's own float64. */
export const tickJson = (tick: Tick) => ({
  broker_id: tick.broker,
  symbol: tick.symbol,
  bid: tick.bid,
  ask: tick.ask,
  spread: tick.ask - tick.bid,
  timestamp: timeText(tick),
  lp: tick.source,
  sequence: tick.sequence,
  bid_size: tick.bidSize ?? null,
  ask_size: tick.askSize ?? null,
  volume: tick.volume,
  flags: tick.flags,
})
