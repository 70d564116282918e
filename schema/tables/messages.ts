// What makes an effect happen once: inbox and outbox rows stand in the transaction of the effect.
import type { Words } from '../words/postgres.ts'

/** An event that a consumer group has taken effect of. A second delivery finds the row and only acknowledges. */
export const inbox = (w: Words) =>
  w.table(
    'inbox',
    {
      consumerGroup: w.text('consumer_group').notNull(),
      eventId: w.text('event_id').notNull(),
      /** When it took effect; rows older than any retry are deleted by this. */
      at: w.instant('at').notNull(),
    },
    (t) => [w.primaryKey({ columns: [t.consumerGroup, t.eventId] }), w.index('inbox_at').on(t.at)],
  )

/** What a committed transaction still has to tell, oldest first. */
export const outbox = (w: Words) =>
  w.table('outbox', {
    id: w.counter('id'),
    /** An event goes to a stream and arrives at least once; a channel message is told at most once. */
    kind: w.oneOf('kind', ['event', 'channel']).notNull(),
    /** The stream or the channel. */
    target: w.text('target').notNull(),
    /** The id that the stream recognises a repetition by. */
    eventId: w.text('event_id').notNull().unique('outbox_event_id'),
    time: w.instant('time').notNull(),
    type: w.text('type'),
    traceparent: w.text('traceparent'),
    /** JSON, exactly as it is published. */
    data: w.text('data').notNull(),
  })

/** The newest fencing token of each resource: whoever holds an older one writes nothing. */
export const fences = (w: Words) =>
  w.table('fences', {
    resource: w.text('resource').primaryKey(),
    /** Counts up with every holder. */
    token: w.integer('token').notNull(),
    holder: w.text('holder').notNull(),
  })
