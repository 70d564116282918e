// How an event lies in a Redis stream entry: flat fields named as in CloudEvents 1.0 (with its partitioning and
// sequence extensions), `data` as JSON. `time` is ms UTC, not RFC 3339, because it is compared far more than read.
import { messageOf, SluiceError } from '../kernel/index.ts'
import type { Entry, Outgoing } from './bus.ts'
import type { Stream } from './stream.ts'

/** An entry as Redis gives it: id and flat field list; null where it was deleted while pending. */
export type RawEntry = readonly [id: string, fields: readonly string[] | null]

/** `to` names the only group that an entry is for: a dead letter that was put back. */
export type Decoded<T> =
  | { readonly ok: true; readonly entry: Entry<T>; readonly to: string | undefined }
  | { readonly ok: false; readonly reason: string }

export type EncodedEvent = [id: string, key: string, data: string, time: string, type: string, trace: string]

/** The arguments of one event for the publishing script, in its order. Throws PAYLOAD_*. */
export function encodeEvent(event: Outgoing): EncodedEvent {
  const { stream, id } = event
  const invalid = (what: string, issues?: unknown) =>
    new SluiceError('PAYLOAD_INVALID', `${stream.name}: ${what}`, { stream: stream.name, id, issues })
  if (id === '') throw invalid('id is empty; an event is recognised by its id')
  // Half of a surrogate pair has no form in UTF-8: different ids would become one.
  if (!id.isWellFormed()) throw invalid('id is no well-formed text')
  const parsed = stream.shape.safeParse(event.data)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw invalid(`${issue?.path.join('.') || 'data'}: ${issue?.message}`, parsed.error.issues)
  }
  const data = toJson(event.data)
  if (data === undefined) throw invalid('data has no form in JSON')
  const max = stream.maxPayloadBytes
  if (isLonger(data, max)) {
    const bytes = Buffer.byteLength(data)
    const facts = { stream: stream.name, id, bytes, max }
    throw new SluiceError('PAYLOAD_TOO_LARGE', `${stream.name}: ${bytes} bytes; allowed are ${max}.`, facts)
  }
  // What the reader knows anyway is left out: each field costs Redis and both clients about 8 % of their time.
  const type = event.type === undefined || event.type === stream.name ? '' : event.type
  const time = event.time === undefined ? '' : String(event.time)
  return [id, stream.key(event.data), data, time, type, event.traceparent ?? '']
}

/** Undefined for what JSON cannot say: undefined itself, a function, a bigint, a circle. */
function toJson(data: unknown): string | undefined {
  try {
    return JSON.stringify(data)
  } catch {
    return undefined
  }
}

/**
 * An outside program may XADD nothing but `data`: what it leaves out is taken from the entry's place and Redis id.
 */
export function decodeEntry<T>(
  stream: Stream<T>,
  partition: number,
  raw: RawEntry,
  attempt: number,
): Decoded<T> {
  const [entry, fields] = raw
  if (fields === null) return { ok: false, reason: 'deleted while it was pending' }
  const found = readFields(fields)
  const text = found.data
  if (text === undefined) return { ok: false, reason: 'the field data is missing' }
  if (isLonger(text, stream.maxPayloadBytes)) {
    return { ok: false, reason: `data is larger than ${stream.maxPayloadBytes} bytes` }
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return { ok: false, reason: `data is not JSON: ${(error as Error).message}` }
  }
  const parsed = stream.shape.safeParse(value)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    return { ok: false, reason: `${issue?.path.join('.') || 'data'}: ${issue?.message}` }
  }
  let key = found.key
  try {
    key ??= stream.key(parsed.data)
  } catch (error) {
    return { ok: false, reason: `no key: ${messageOf(error)}` }
  }
  const stamped = Number(found.time)
  return {
    ok: true,
    to: found.to,
    entry: {
      id: found.id || `${stream.name}/${partition}/${entry}`,
      type: found.type || stream.name,
      source: found.source || 'outside',
      time: stamped > 0 && stamped <= DATE_MAX_MS ? stamped : entryTime(entry),
      key,
      sequence: found.sequence,
      traceparent: found.traceparent || undefined,
      data: parsed.data,
      stream: stream.name,
      partition,
      entry,
      attempt,
    },
  }
}

interface Fields {
  data: string | undefined
  id: string
  key: string | undefined
  source: string
  time: string
  type: string
  traceparent: string
  to: string | undefined
  sequence: number
}

/** One pass over the list; an object with the fields' own names as keys cost twice as much. */
function readFields(fields: readonly string[]): Fields {
  const found: Fields = {
    ...{ data: undefined, id: '', key: undefined, source: '', time: '', type: '', traceparent: '' },
    ...{ to: undefined, sequence: 0 },
  }
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const value = fields[i + 1]!
    switch (fields[i]) {
      case 'data':
        found.data = value
        break
      case 'id':
        found.id = value
        break
      case 'partitionkey':
        found.key = value
        break
      case 'sequence':
        found.sequence = toSequence(value)
        break
      case 'source':
        found.source = value
        break
      case 'time':
        found.time = value
        break
      case 'type':
        found.type = value
        break
      case 'traceparent':
        found.traceparent = value
        break
      case 'to':
        found.to = value
    }
  }
  return found
}

// No character takes more than three bytes for each of its UTF-16 units.
const isLonger = (text: string, bytesMax: number) =>
  text.length * 3 > bytesMax && Buffer.byteLength(text) > bytesMax

// The last time that a Date can hold. An outside program may choose any entry id.
export const DATE_MAX_MS = 8.64e15

/** The server time at which an entry was added, ms. */
export const entryTime = (entry: string): number =>
  Math.min(Number(entry.slice(0, entry.indexOf('-'))), DATE_MAX_MS)

/** The publisher's count; 0 for an entry that an outside program added. */
export function sequenceOf([, fields]: RawEntry): number {
  return toSequence(fieldOf(fields ?? [], 'sequence') ?? '0')
}

function toSequence(text: string): number {
  const sequence = Number(text)
  return Number.isSafeInteger(sequence) && sequence > 0 ? sequence : 0
}

/** Rough size in memory of what is read from Redis: the characters of its fields. */
export function sizeOf([, fields]: RawEntry): number {
  let size = 0
  for (const field of fields ?? []) size += field.length
  return size
}

/** The named field of a raw entry. */
export function fieldOf(fields: readonly string[], name: string): string | undefined {
  for (let i = 0; i + 1 < fields.length; i += 2) if (fields[i] === name) return fields[i + 1]
  return undefined
}

/** Orders Redis ids, whose two parts are numbers of up to 64 bits without leading zeros. */
export function compareIds(a: string, b: string): number {
  const [aMs = '', aN = ''] = a.split('-')
  const [bMs = '', bN = ''] = b.split('-')
  return compareWhole(aMs, bMs) || compareWhole(aN, bN)
}

/** The id in front of an id; 0-0 has none and stays. */
export function previousId(id: string): string {
  const [ms = '0', n = '0'] = id.split('-')
  if (BigInt(n) > 0n) return `${BigInt(ms)}-${BigInt(n) - 1n}`
  return BigInt(ms) === 0n ? '0-0' : `${BigInt(ms) - 1n}-${2n ** 64n - 1n}`
}

const compareWhole = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0)
