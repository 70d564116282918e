// What came from files: how far each import is, and what could not be used and why.
import type { Words } from '../words/postgres.ts'

export const imports = (w: Words) =>
  w.table('imports', {
    /** Derived from kind, path, size, time of change of the file and the settings of the import. */
    id: w.text('id').primaryKey(),
    kind: w.oneOf('kind', ['ticks', 'candles', 'funding', 'conversations']).notNull(),
    path: w.text('path').notNull(),
    bytes: w.integer('bytes').notNull(),
    /** Everything in front of it is stored, a duplicate or in quarantine. */
    offset: w.integer('offset').notNull(),
    read: w.integer('read').notNull(),
    stored: w.integer('stored').notNull(),
    duplicate: w.integer('duplicate').notNull(),
    /** Count by reason. */
    quarantined: w.json<Record<string, number>>('quarantined').notNull(),
    /** What was remembered at the offset (ticks that wait for a judgement, an open conflict); null at the beginning. */
    state: w.json<unknown>('state'),
    /** Read to its end, or to where it is damaged. */
    done: w.boolean('done').notNull(),
    startedAt: w.instant('started_at').notNull(),
    updatedAt: w.instant('updated_at').notNull(),
  })

/** What was not used, each once. */
export const quarantine = (w: Words) =>
  w.table(
    'quarantine',
    {
      /** Derived from origin, position and text, so that seeing it again adds nothing. */
      id: w.text('id').primaryKey(),
      kind: w.oneOf('kind', ['ticks', 'candles', 'funding', 'conversations']).notNull(),
      /** The file, or the stream. */
      origin: w.text('origin').notNull(),
      /** Byte offset in the file, or the number of the entry. */
      position: w.integer('position').notNull(),
      reason: w.text('reason').notNull(),
      /** What was found, for a person. */
      detail: w.text('detail').notNull(),
      /** As far as they could be read. */
      symbol: w.text('symbol'),
      source: w.text('source'),
      time: w.instant('time'),
      /** The first 2,000 characters. */
      text: w.text('text').notNull(),
      at: w.instant('at').notNull(),
    },
    (t) => [
      w.index('quarantine_kind_time').on(t.kind, t.time),
      w.index('quarantine_symbol').on(t.symbol),
      // What is to be forgotten is looked for every ten minutes.
      w.index('quarantine_at').on(t.at),
    ],
  )

/** The ticks of one symbol and source on one UTC day, judged. */
export const tickQuality = (w: Words) =>
  w.table(
    'tick_quality',
    {
      /** YYYY-MM-DD, UTC. */
      day: w.text('day').notNull(),
      symbol: w.text('symbol').notNull(),
      source: w.text('source').notNull(),
      ticks: w.integer('ticks').notNull(),
      /** Pauses of more than a minute. */
      gaps: w.integer('gaps').notNull(),
      maxGapMs: w.float('max_gap_ms').notNull(),
      /** Count by reason. */
      quarantined: w.json<Record<string, number>>('quarantined').notNull(),
      /** Ask less bid, quote units; null without ticks. */
      minSpread: w.float('min_spread'),
      avgSpread: w.float('avg_spread'),
      maxSpread: w.float('max_spread'),
      /** 0 to 100. */
      score: w.float('score').notNull(),
      computedAt: w.instant('computed_at').notNull(),
    },
    (t) => [w.primaryKey({ columns: [t.day, t.symbol, t.source] })],
  )
