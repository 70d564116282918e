// What the keeping of funding says.
import { counts, says, seconds } from './consequence.ts'
import type { Rules } from './rules.ts'

export const FUNDING_RULES: Rules['funding'] = {
  booked: ({ what, result, venue, symbol, tookMs }) => {
    const done = counts(
      ['sluice_funding_booked_total', 1, { what, result }],
      ['sluice_funding_book_seconds_total', seconds(tookMs)],
    )
    if (result !== 'corrected') return done
    return says('warn', 'a settlement has another funding rate now', `${venue} ${symbol}`, ...done.counts)
  },
}
