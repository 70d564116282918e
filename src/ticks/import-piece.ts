// A piece of a file as named fields: an object of JSON, or a line of CSV under its header.
import { splitCsv } from '../imports/index.ts'
import type { TickFields, Unreadable } from './read-tick.ts'

export function parsePiece(text: string, header: string | undefined): { fields: TickFields } | Unreadable {
  return header === undefined ? fromJson(text) : fromCsv(text, header)
}

// Not JSON, but written by many programs for a price that they do not have.
const NOT_A_NUMBER = /(:\s*)(?:NaN|-?Infinity)(?=\s*[,}])/g

function fromJson(text: string): { fields: TickFields } | Unreadable {
  const parsed = parse(text) ?? parse(text.replace(NOT_A_NUMBER, '$1null'))
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) {
    return { fields: parsed as TickFields }
  }
  return unreadable('not_json', 'it cannot be parsed as an object of JSON')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function fromCsv(line: string, header: string): { fields: TickFields } | Unreadable {
  const names = columnsOf(header)
  const values = splitCsv(line)
  if (values.length !== names.length) {
    return unreadable('field_count', `${values.length} fields under a header of ${names.length}`)
  }
  return { fields: Object.fromEntries(names.map((name, at) => [name, values[at]!])) }
}

// The same for a whole file.
let lastHeader: { text: string; names: readonly string[] } | undefined

function columnsOf(text: string): readonly string[] {
  if (lastHeader?.text !== text) {
    lastHeader = { text, names: splitCsv(text).map((name) => name.trim().toLowerCase()) }
  }
  return lastHeader.names
}

const unreadable = (reason: Unreadable['reason'], detail: string): Unreadable => ({
  ...{ reason, detail },
  ...{ symbol: undefined, source: undefined, time: undefined },
})
