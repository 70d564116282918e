// The auditor of the stories: reads every table and stream when all is at rest and names each thing that is lost,
// twice or not what the fills say. test/stories/auditor.test.ts shows that it finds planted faults.
import { reconcile as reconcileInventory } from '../../src/arbitrage/index.ts'
import { type Bus, type Entry, partitionOf, type Stream } from '../../src/bus/index.ts'
import { executions, type Fill, type Opportunity, opportunities } from '../../src/catalog/index.ts'
import type { Database } from '../../src/db/index.ts'
import { reconcile as reconcileLedger } from '../../src/ledger/index.ts'

/** What a run leaves: every row of the tables that a replay must give again. */
export type Books = Awaited<ReturnType<typeof readBooks>>

export const readBooks = (database: Database) =>
  database.read(async ({ sql, t }) => ({
    opportunities: await sql.select().from(t.opportunities),
    executions: await sql.select().from(t.executions),
    intents: await sql.select().from(t.intents),
    venueOrders: await sql.select().from(t.venueOrders),
    inventory: await sql.select().from(t.inventory),
    reservations: await sql.select().from(t.reservations),
    fills: await sql.select().from(t.fills),
    positions: await sql.select().from(t.positions),
    cash: await sql.select().from(t.cash),
    trades: await sql.select().from(t.trades),
    equitySnapshots: await sql.select().from(t.equitySnapshots),
    inbox: await sql.select().from(t.inbox),
    outbox: await sql.select().from(t.outbox),
  }))

/** Everything that an event stream still holds; stories do not trim. */
export async function readStream<T>(bus: Bus, stream: Stream<T>): Promise<Entry<T>[]> {
  const partitions = Array.from({ length: stream.partitions }, async (_, partition) => {
    const found: Entry<T>[] = []
    for (;;) {
      const page = await bus.readBack(stream, partition, found.at(-1)?.entry ?? '0-0', 1_000)
      found.push(...page)
      if (page.length < 1_000) return found
    }
  })
  return (await Promise.all(partitions)).flat()
}

/** Everything a judgement needs, read when all is at rest. */
export async function gather(bus: Bus, database: Database) {
  const letters = [opportunities, executions].map((stream) => bus.deadLetters(stream as never, 10))
  return {
    books: await readBooks(database),
    said: await readStream(bus, opportunities),
    told: await readStream(bus, executions),
    deadLetters: (await Promise.all(letters)).flat(),
    ledger: await database.read(reconcileLedger),
    inventory: await database.read(reconcileInventory),
  }
}

export type Evidence = Awaited<ReturnType<typeof gather>>

/** One sentence for each fault; empty when nothing is lost and nothing is twice. */
export function judge({ books, said, told, deadLetters, ledger, inventory }: Evidence): string[] {
  return [
    ...deadLetters.map((d) => `dead letter of ${d.group} in ${d.stream}: ${d.eventId}: ${d.reason}`),
    ...ledger.map((d) => `the ledger differs from its fills: ${JSON.stringify(d)}`),
    ...inventory.map((d) => `the inventory differs from its orders: ${JSON.stringify(d)}`),
    ...twice('event of opportunities', said, (entry) => entry.id),
    ...twice('event of executions', told, (entry) => entry.id),
    ...auditDecisions(
      books,
      said.map((entry) => entry.data),
    ),
    ...auditOrders(books),
    ...auditFills(books, told),
    ...auditStream(said),
  ]
}

function auditDecisions(books: Books, said: readonly Opportunity[]): string[] {
  const opened = said.filter(({ phase }) => phase === 'opened').map(({ id }) => id)
  const closed = said.filter(({ phase }) => phase === 'closed').map(({ id }) => id)
  const ended = books.opportunities.filter(({ closedAt }) => closedAt !== null)
  const executed = books.executions.filter(({ status }) => status === 'completed')
  const filled = executed.filter(({ outcome }) => outcome !== 'none').map((e) => e.opportunityId)
  return [
    ...differences('opportunity', 'said', opened, 'recorded', idsOf(books.opportunities, 'id')),
    ...differences('end', 'said', closed, 'recorded', idsOf(ended, 'id')),
    ...differences('opportunity', 'said', opened, 'decided', idsOf(books.executions, 'opportunityId')),
    ...differences('trade', 'executed', filled, 'booked', idsOf(books.trades, 'opportunityId')),
    ...books.executions
      .filter(({ status }) => status === 'pending')
      .map(({ opportunityId }) => `execution ${opportunityId} is pending`),
    ...books.reservations.map((row) => `a reservation of ${row.opportunityId} was never ended`),
    ...books.inventory
      .filter(({ reserved }) => reserved !== '0')
      .map(({ venue, asset, reserved }) => `${reserved} ${asset} at ${venue} stay reserved`),
    ...books.outbox.map((row) => `the outbox still holds ${row.eventId}`),
  ]
}

function auditOrders(books: Books): string[] {
  const intents = idsOf(books.intents, 'clientOrderId')
  const completed = new Set(
    books.executions.filter((e) => e.status === 'completed').map((e) => e.opportunityId),
  )
  return [
    ...differences('order', 'at the venue', idsOf(books.venueOrders, 'clientOrderId'), 'intended', intents),
    ...twice('leg', books.intents, ({ opportunityId, leg }) => `${opportunityId}/${leg}`),
    ...twice('order', books.venueOrders, (order) => order.clientOrderId),
    ...books.intents
      .filter(({ opportunityId }) => !completed.has(opportunityId))
      .map(({ opportunityId }) => `intent of ${opportunityId}, which is not completed`),
  ]
}

/** What the venue filled, what was said of it, and what was booked: three records of the same fills. */
function auditFills(books: Books, told: readonly Entry<unknown>[]): string[] {
  const filled = books.venueOrders.flatMap(({ clientOrderId, fills }) =>
    fills.map((f, i) => `${clientOrderId}:${i + 1} ${f.quantity} @ ${f.price} fee ${f.fee} at ${f.time}`),
  )
  const text = (f: Pick<Fill, 'id' | 'quantity' | 'price' | 'fee' | 'time'>) =>
    `${f.id} ${f.quantity} @ ${f.price} fee ${f.fee} at ${f.time}`
  const events = told.map((entry) => entry.data as { type: string } & Fill)
  const streamed = events.filter(({ type }) => type === 'fill').map(text)
  return [
    ...differences('fill', 'at the venue', filled, 'told', streamed),
    ...differences('fill', 'at the venue', filled, 'booked', books.fills.map(text)),
    ...twice('fill', books.fills, (fill) => fill.id),
  ]
}

/** The publisher's own count: a hole is a loss. */
function auditStream(entries: readonly Entry<Opportunity>[]): string[] {
  const next = new Map<number, number>()
  return entries.flatMap(({ partition, sequence, data, stream }) => {
    const expected = next.get(partition) ?? 1
    next.set(partition, sequence + 1)
    const place = partitionOf(opportunities, data.symbol)
    return [
      ...(sequence === expected ? [] : [`${stream}/${partition} goes from ${expected - 1} to ${sequence}`]),
      ...(place === partition ? [] : [`${data.id} is in partition ${partition} instead of ${place}`]),
    ]
  })
}

const idsOf = <K extends string>(rows: readonly Record<K, string>[], key: K) => rows.map((row) => row[key])

function differences(what: string, one: string, a: readonly string[], other: string, b: readonly string[]) {
  const [inA, inB] = [new Set(a), new Set(b)]
  return [
    ...[...inA].filter((id) => !inB.has(id)).map((id) => `${what} ${id} is ${one} and not ${other}`),
    ...[...inB].filter((id) => !inA.has(id)).map((id) => `${what} ${id} is ${other} and not ${one}`),
  ]
}

function twice<T>(what: string, rows: readonly T[], keyOf: (row: T) => string): string[] {
  const groups = Map.groupBy(rows, keyOf)
  return [...groups].filter(([, same]) => same.length > 1).map(([key]) => `${what} ${key} is there twice`)
}
