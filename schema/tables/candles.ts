// Candles of every source and interval, one family. Written by the candles context alone.
import type { Words } from '../words/postgres.ts'

export const candles = (w: Words) =>
  w.table(
    'candles',
    {
      source: w.text('source').notNull(),
      ticker: w.text('ticker').notNull(),
      interval: w.text('interval').notNull(),
      /** Beginning of the bar. */
      time: w.instant('time').notNull(),
      open: w.float('open').notNull(),
      high: w.float('high').notNull(),
      low: w.float('low').notNull(),
      close: w.float('close').notNull(),
      /** What was traded, or the number of ticks where the source knows no trades. */
      volume: w.float('volume').notNull(),
      /** Mean of the last 10 … 200 closes; null where there are fewer. */
      ma10: w.float('ma10'),
      ma20: w.float('ma20'),
      ma50: w.float('ma50'),
      ma100: w.float('ma100'),
      ma200: w.float('ma200'),
      /** How far the close is above its mean, %. */
      ma10Score: w.float('ma10_score'),
      ma20Score: w.float('ma20_score'),
      ma50Score: w.float('ma50_score'),
      ma100Score: w.float('ma100_score'),
      ma200Score: w.float('ma200_score'),
      /** Against the bar before, %. */
      closeChanged: w.float('close_changed'),
      volumeChanged: w.float('volume_changed'),
      /** Change of the close × volume. */
      totalMoneyChanged: w.float('total_money_changed'),
      /** Made then of the stored ticks, which are right: bars of the stream do not replace it. Null for all others. */
      rebuiltAt: w.instant('rebuilt_at'),
      updatedAt: w.instant('updated_at').notNull(),
    },
    (t) => [w.primaryKey({ columns: [t.source, t.ticker, t.interval, t.time] })],
  )
