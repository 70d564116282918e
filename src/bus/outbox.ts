// What a transaction wants to tell is a row in it, and leaves after the commit. Every drain publishes the oldest rows
// first under their event ids and then deletes them, so two drains at once say everything in the same order and the
// second finds only ids that are known.
import { asc, type Database, inArray, type Tx } from '../db/index.ts'
import { messageOf, randomId, SluiceError, type Task } from '../kernel/index.ts'
import type { Bus, Outgoing } from './bus.ts'
import type { Stream } from './stream.ts'

const BATCH = 500
const SWEEP_MS = 1_000

/** Writes events into the outbox of the transaction. */
export async function enqueue(tx: Tx, events: readonly Outgoing[]): Promise<void> {
  for (const event of events) {
    const parsed = event.stream.shape.safeParse(event.data)
    if (!parsed.success) {
      throw new SluiceError('PAYLOAD_INVALID', `${event.stream.name}: ${parsed.error.issues[0]?.message}`, {
        stream: event.stream.name,
        id: event.id,
      })
    }
  }
  const rows = events.map((event) => ({
    kind: 'event' as const,
    target: event.stream.name,
    eventId: event.id,
    time: event.time ?? 0,
    type: event.type ?? null,
    traceparent: event.traceparent ?? null,
    data: JSON.stringify(event.data),
  }))
  if (rows.length > 0) await tx.sql.insert(tx.t.outbox).values(rows).onConflictDoNothing()
}

/** Writes a channel message into the outbox of the transaction. */
export async function enqueueTell(tx: Tx, channel: string, message: string): Promise<void> {
  const row = {
    kind: 'channel' as const,
    target: channel,
    eventId: randomId(),
    time: 0,
    type: null,
    traceparent: null,
  }
  await tx.sql.insert(tx.t.outbox).values({ ...row, data: message })
}

export interface Relay {
  /** Says now what was committed; called after a commit. Errors are left to the sweep. */
  nudge(): void
  /** Sweeps what a crash left, for as long as the worker runs; drains once more at its end. */
  readonly task: Task
  /** Resolves when the outbox was empty. */
  drain(): Promise<void>
}

export function openRelay(bus: Bus, database: Database, streams: readonly Stream<unknown>[]): Relay {
  const byName = new Map(streams.map((stream) => [stream.name, stream]))
  let running: Promise<void> | undefined
  let again = false

  async function drainAll(): Promise<void> {
    while (await drainSome(bus, database, byName));
  }

  /** One drain at a time in this process; a nudge during one makes it look again. */
  function drain(): Promise<void> {
    again = true
    running ??= (async () => {
      try {
        while (again) {
          again = false
          await drainAll()
        }
      } finally {
        running = undefined
      }
    })()
    return running
  }

  const quietly = () =>
    drain().catch((error) => bus.events.emit('disturbed', { where: 'outbox', reason: messageOf(error) }))

  return {
    nudge: () => void quietly(),
    drain,
    async task(signal) {
      while (!signal.aborted) {
        await quietly()
        await bus.clock.sleep(SWEEP_MS, signal)
      }
      await quietly()
    },
  }
}

/** Publishes and deletes the oldest rows; true when there may be more. */
async function drainSome(
  bus: Bus,
  database: Database,
  streams: Map<string, Stream<unknown>>,
): Promise<boolean> {
  const rows = await database.read(({ sql, t }) =>
    sql.select().from(t.outbox).orderBy(asc(t.outbox.id)).limit(BATCH),
  )
  if (rows.length === 0) return false
  const events: Outgoing[] = []
  for (const row of rows) {
    if (row.kind !== 'event') continue
    const stream = streams.get(row.target)
    if (!stream)
      throw new SluiceError('PAYLOAD_INVALID', `The outbox names ${row.target}, which is no stream.`)
    const more = {
      ...(row.type && { type: row.type }),
      ...(row.traceparent && { traceparent: row.traceparent }),
    }
    events.push({
      stream,
      id: row.eventId,
      data: JSON.parse(row.data),
      ...(row.time > 0 && { time: row.time }),
      ...more,
    })
  }
  await bus.publish(events)
  for (const row of rows) if (row.kind === 'channel') await bus.tell(row.target, row.data)
  const ids = rows.map((row) => row.id)
  await database.write(({ sql, t }) => sql.delete(t.outbox).where(inArray(t.outbox.id, ids)))
  return rows.length === BATCH
}
