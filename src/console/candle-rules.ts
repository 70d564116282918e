// What the keeping of candles says.
import { counts, says, seconds, troubled } from './consequence.ts'
import type { Rules } from './rules.ts'

export const CANDLE_RULES: Rules['candles'] = {
  refused: ({ reason, venue }) => counts(['sluice_candles_refused_total', 1, { reason, venue }]),
  late: ({ source, ticker, ticks }) =>
    says('warn', 'ticks came too late for their bars: sluice candles rebuild', `${source} ${ticker}`, [
      'sluice_candles_late_total',
      ticks,
      { source },
    ]),
  kept: ({ stored, changed, older, tookMs }) =>
    counts(
      ['sluice_candles_kept_total', stored + changed],
      ['sluice_candles_older_total', older],
      ['sluice_candles_keep_seconds_total', seconds(tookMs)],
    ),
  projected: ({ bars, tookMs }) =>
    counts(
      ['sluice_candles_projected_total', bars],
      ['sluice_candles_project_seconds_total', seconds(tookMs)],
    ),
  delayed: ({ where, wait, reason }) =>
    troubled(
      wait,
      [{ what: `candles (${where})`, reason }],
      says('warn', 'candles wait for their store', where, ['sluice_candles_delayed_total', 1, { where }]),
    ),
  resumed: ({ wait }) => troubled(wait, []),
  unkept: ({ source, ticker }) =>
    says('error', 'candles could not be written', `${source} ${ticker}`, [
      'sluice_candles_unkept_total',
      1,
      { source },
    ]),
}
