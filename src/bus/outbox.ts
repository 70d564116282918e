// What a transaction wants to tell is a row in it, and leaves after the commit. Every drain publishes the oldest rows
// first under their event ids and then deletes them, so two drains at once say everything in the same order and the
// second finds only ids that are known.
//
// A stream that is full holds back its own rows only. A row that can never be published (its stream is unknown here,
// its payload is refused) stays where it is, is reported by every sweep, and is passed by the others: to drop it would
// lose it, to wait for it would stop everything.
import { and, asc, type Database, gt, inArray, notInArray, type Tx } from '../db/index.ts'
import { isSluiceError, messageOf, randomId, SluiceError, type Task } from '../kernel/index.ts'
import type { Bus, Outgoing } from './bus.ts'
import { disturb } from './link.ts'
import type { Stream } from './stream.ts'

const BATCH = 500
// Eight columns each: far below the 32,766 parameters of one SQLite statement.
const INSERT_MAX = 1_000
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
  for (let i = 0; i < rows.length; i += INSERT_MAX) {
    await tx.sql
      .insert(tx.t.outbox)
      .values(rows.slice(i, i + INSERT_MAX))
      .onConflictDoNothing()
  }
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
  /** Resolves when everything that can be said now was said; rejects when the database or Redis is away. */
  drain(): Promise<void>
}

/** Says the messages of one channel, oldest first; may be called twice for the same. */
export type Speaker = (messages: readonly string[]) => Promise<void>

export interface RelayOptions {
  readonly bus: Bus
  readonly database: Database
  readonly streams: readonly Stream<unknown>[]
  /** By channel. A message on any other stays where it is, and is reported. */
  readonly speakers?: Readonly<Record<string, Speaker>>
}

export function openRelay({ bus, database, streams, speakers = {} }: RelayOptions): Relay {
  const targets: Targets = { streams: new Map(streams.map((stream) => [stream.name, stream])), speakers }
  let running: Promise<void> | undefined
  let again = false

  /** One drain at a time in this process; a nudge during one makes it look again. */
  function drain(): Promise<void> {
    again = true
    running ??= (async () => {
      try {
        while (again) {
          again = false
          await drainAll(bus, database, targets)
        }
      } finally {
        running = undefined
      }
    })()
    return running
  }

  const quietly = () =>
    drain().catch((error) => disturb(bus, 'outbox', error, isSluiceError(error, 'REDIS_UNAVAILABLE')))

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

interface Targets {
  readonly streams: ReadonlyMap<string, Stream<unknown>>
  readonly speakers: Readonly<Record<string, Speaker>>
}
type Row = Awaited<ReturnType<typeof readRows>>[number]

const readRows = (database: Database, after: number, without: readonly string[]) =>
  database.read(({ sql, t }) =>
    sql
      .select()
      .from(t.outbox)
      .where(and(gt(t.outbox.id, after), notInArray(t.outbox.target, [...without])))
      .orderBy(asc(t.outbox.id))
      .limit(BATCH),
  )

async function drainAll(bus: Bus, database: Database, targets: Targets): Promise<void> {
  /**
   * Targets that take nothing now: what stands behind must not overtake. It is not read either, because it may be the
   * drops of days without the cache's Redis: 50,000 rows were 89 ms for each commit.
   */
  const full = new Set<string>()
  let after = 0
  for (;;) {
    const rows = await readRows(database, after, [...full])
    const last = rows.at(-1)
    if (!last) return
    const said: number[] = []
    for (const [target, list] of groupByTarget(rows)) {
      said.push(...(await say(bus, targets, list, () => full.add(target))))
    }
    if (said.length > 0)
      await database.write(({ sql, t }) => sql.delete(t.outbox).where(inArray(t.outbox.id, said)))
    if (rows.length < BATCH) return
    after = last.id
  }
}

function groupByTarget(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const list = groups.get(row.target)
    if (list) list.push(row)
    else groups.set(row.target, [row])
  }
  return groups
}

/** Says rows of one target in order; answers the ids of those that are said. */
async function say(
  bus: Bus,
  { streams, speakers }: Targets,
  rows: readonly Row[],
  isFull: () => void,
): Promise<number[]> {
  if (rows[0]?.kind === 'channel') return speak(bus, speakers, rows, isFull)
  const said: number[] = []
  let left = rows
  while (left.length > 0) {
    try {
      await bus.publish(left.map((row) => toEvent(row, streams)))
      return [...said, ...left.map((row) => row.id)]
    } catch (error) {
      if (isSluiceError(error, 'OVERLOADED')) {
        isFull()
        disturb(bus, 'outbox', error, false)
        return said
      }
      const poison = poisonOf(error, left)
      if (!poison) throw error
      disturb(bus, 'outbox', `row ${poison.id} stays: ${messageOf(error)}`, false)
      left = left.filter((row) => row !== poison)
    }
  }
  return said
}

/** A speaker that fails, as one does whose server is away, holds up its own channel only. */
async function speak(
  bus: Bus,
  speakers: Targets['speakers'],
  rows: readonly Row[],
  isFull: () => void,
): Promise<number[]> {
  const { target } = rows[0]!
  try {
    const speaker = speakers[target]
    if (!speaker) throw new Error('nobody speaks on this channel here')
    await speaker(rows.map((row) => row.data))
    return rows.map((row) => row.id)
  } catch (error) {
    isFull()
    disturb(bus, `outbox of ${target}`, error, isSluiceError(error, 'REDIS_UNAVAILABLE'))
    return []
  }
}

/** The row that no attempt can publish. */
function poisonOf(error: unknown, rows: readonly Row[]): Row | undefined {
  if (!isSluiceError(error) || !/^PAYLOAD_/.test(error.code)) return undefined
  return rows.find((row) => row.eventId === error.facts['id'])
}

function toEvent(row: Row, streams: Targets['streams']): Outgoing {
  const { target, eventId: id, data, time, type, traceparent } = row
  const stream = streams.get(target)
  if (!stream) {
    throw new SluiceError('PAYLOAD_INVALID', `The outbox names ${target}, which is no stream here.`, {
      target,
      id,
    })
  }
  const more = { ...(time > 0 && { time }), ...(type && { type }), ...(traceparent && { traceparent }) }
  return { stream, id, data: parse(data, target, id), ...more }
}

function parse(data: string, target: string, id: string): unknown {
  try {
    return JSON.parse(data)
  } catch (error) {
    throw new SluiceError('PAYLOAD_INVALID', `A row for ${target} is not JSON: ${messageOf(error)}`, {
      target,
      id,
    })
  }
}
