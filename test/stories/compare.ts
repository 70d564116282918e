// Two runs over one recording must leave the same rows. Rows are written as canonical texts and sorted, so neither
// the order of writing nor the database matters.
import type { Books } from './books.ts'

/**
 * Left out: fencing tokens and their holders count attempts, Redis gives an entry the id of its arrival, and inbox
 * and outbox hold random ids. Everything else is a function of the recording.
 */
const VARYING: Readonly<Record<string, readonly string[]>> = {
  executions: ['token', 'holder'],
  intents: ['token'],
}
const LEFT_OUT = ['outbox', 'inbox']

/** Each row as `table {…}`, sorted. */
export function canonical(books: Books): string[] {
  return Object.entries(books)
    .filter(([table]) => !LEFT_OUT.includes(table))
    .flatMap(([table, rows]) =>
      (rows as Record<string, unknown>[]).map((row) => `${table} ${rowText(table, row)}`),
    )
    .sort()
}

function rowText(table: string, row: Record<string, unknown>): string {
  const names = Object.keys(row).filter((name) => !VARYING[table]?.includes(name))
  const fields = names.sort().map((name) => [name, name === 'sources' ? withoutEntry(row[name]) : row[name]])
  return JSON.stringify(Object.fromEntries(fields))
}

const withoutEntry = (sources: unknown) =>
  (sources as { venue: string; eventId: string; quoteTime: number }[]).map(
    ({ venue, eventId, quoteTime }) => ({
      venue,
      eventId,
      quoteTime,
    }),
  )

/** The first row in which two runs differ, as both have it; undefined when they are the same. */
export function firstDifference(
  a: Books,
  b: Books,
): { a: string | undefined; b: string | undefined } | undefined {
  const [left, right] = [canonical(a), canonical(b)]
  for (let i = 0; i < Math.max(left.length, right.length); i += 1) {
    if (left[i] !== right[i]) return { a: left[i], b: right[i] }
  }
  return undefined
}
