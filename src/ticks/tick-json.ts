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

const COLUMNS = [
  ...['timestamp', 'symbol', 'lp', 'sequence', 'bid', 'ask'],
  ...['bid_size', 'ask_size', 'volume', 'flags', 'broker_id'],
] as const

/** A field with a comma, a quote or a line break is quoted (RFC 4180). */
const field = (value: string | number | null) => {
  const text = value === null ? '' : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

export const TICK_CSV_HEADER = `${COLUMNS.join(',')}\n`

export function tickCsv(tick: Tick): string {
  const fields = tickJson(tick)
  return `${COLUMNS.map((column) => field(fields[column])).join(',')}\n`
}
