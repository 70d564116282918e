// What Redis answers, in the shapes that the bus works with.
import type { RawEntry } from './codec.ts'

/** The facts of an XINFO row, which RESP3 gives as a map and RESP2 as a flat list. */
export function replyFacts(row: unknown): Record<string, unknown> {
  if (row instanceof Map) return Object.fromEntries(row) as Record<string, unknown>
  if (!Array.isArray(row)) return row as Record<string, unknown>
  const facts: Record<string, unknown> = {}
  for (let i = 0; i + 1 < row.length; i += 2) facts[String(row[i])] = row[i + 1]
  return facts
}

/** An entry that a consumer holds, and how often it was begun. */
export interface Held {
  readonly raw: RawEntry
  readonly begun: number
}

/** The answer of READ_NEW. */
export const newOf = (reply: unknown): RawEntry[] => (reply ? JSON.parse(String(reply)) : [])

/** The answer of READ_HELD. */
export function heldOf(reply: unknown): Held[] {
  const held: [string, string[] | false, number][] = reply ? JSON.parse(String(reply)) : []
  return held.map(([id, fields, begun]) => ({ raw: [id, fields || null], begun }))
}

/** The entries of XREAD and XREADGROUP by key: RESP3 answers a map, RESP2 a list of pairs. */
export function entriesByKey(reply: unknown): [key: string, entries: RawEntry[]][] {
  if (reply === null || reply === undefined) return []
  return Array.isArray(reply) ? reply : Object.entries(reply as Record<string, RawEntry[]>)
}
