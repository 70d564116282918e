/** The facts of an XINFO row, which RESP3 gives as a map and RESP2 as a flat list. */
export function replyFacts(row: unknown): Record<string, unknown> {
  if (row instanceof Map) return Object.fromEntries(row) as Record<string, unknown>
  if (!Array.isArray(row)) return row as Record<string, unknown>
  const facts: Record<string, unknown> = {}
  for (let i = 0; i + 1 < row.length; i += 2) facts[String(row[i])] = row[i + 1]
  return facts
}
