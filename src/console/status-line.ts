// One line every few seconds for the terminal: what came in, what was found, what it earned, what waits.
import type { StreamStatus } from '../bus/index.ts'
import { type LedgerTotals, marketQuotes } from '../catalog/index.ts'
import { type Clock, decimal, isoTime, messageOf, repeat, type Task } from '../kernel/index.ts'
import type { ArbitrageTotals } from './answers.ts'
import { openMeter } from './meter.ts'
import { worstOf } from './summary.ts'

export interface StatusLineOptions {
  readonly clock: Clock
  readonly everyMs: number
  readonly streams: () => Promise<readonly StreamStatus[]>
  readonly arbitrageTotals: () => Promise<ArbitrageTotals>
  readonly ledgerTotals: () => Promise<LedgerTotals>
  readonly write: (line: string) => void
}

/** A failure is a line too: the terminal must not fall silent when something is wrong. */
export const statusLine = (options: StatusLineOptions): Task => {
  const { clock, write } = options
  const meter = openMeter(options.everyMs)
  return repeat(options.everyMs, clock, async (signal) => {
    const time = isoTime(clock.now()).slice(11, 19)
    try {
      const [streams, seen, booked] = await Promise.all([
        options.streams(),
        options.arbitrageTotals(),
        options.ledgerTotals(),
      ])
      const perSecond = meter.read(streams, clock.monotonic()).get(marketQuotes.name) ?? 0
      write(`${time}  ${lineOf(perSecond, seen, booked, streams)}`)
    } catch (error) {
      if (!signal.aborted) write(`${time}  no figures: ${messageOf(error)}`)
    }
  })
}

export function lineOf(
  quotesPerSecond: number,
  seen: ArbitrageTotals,
  booked: LedgerTotals,
  streams: readonly StreamStatus[],
): string {
  const { lag, deadLetters } = worstOf(streams)
  const parts = [
    `quotes ${Math.round(quotesPerSecond)}/s`,
    `opportunities ${seen.opportunities} (${seen.open} open)`,
    `executed ${seen.executed}`,
    `refused ${seen.refused}`,
    `profit ${profitText(booked.profit)}`,
    `lag ${lag}`,
  ]
  if (deadLetters > 0) parts.push(`dead letters ${deadLetters}`)
  return parts.join('  ')
}

/** Rounded to cents for the eye, by currency. */
function profitText(profit: LedgerTotals['profit']): string {
  const amounts = Object.entries(profit).sort(([a], [b]) => (a < b ? -1 : 1))
  if (amounts.length === 0) return '0'
  return amounts.map(([currency, amount]) => `${decimal(amount).toFixed(2)} ${currency}`).join(' ')
}
