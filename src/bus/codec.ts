// How an event lies in a Redis stream entry: flat fields named as in CloudEvents 1.0 (with its partitioning and
// sequence extensions), `data` as JSON. `time` is ms UTC, not RFC 3339, because it is compared far more than read.
import { SluiceError } from '../kernel/index.ts'
import type { Entry, Outgoing } from './bus.ts'
import type { Stream } from './stream.ts'

/** An entry as Redis gives it: id and flat field list; null where it was deleted while pending. */
export type RawEntry = readonly [id: string, fields: readonly string[] | null]

/** `to` names the only group that an entry is for: a dead letter that was put back. */
export type Decoded<T> =
  | { readonly ok: true; readonly entry: Entry<T>; readonly to: string | undefined }
  | { readonly ok: false; readonly reason: string }

/** The arguments of one event for the publishing script, in its order. Throws PAYLOAD_*. */
export function encodeEvent(event: Outgoing, source: string, now: number): [key: string, args: string[]] {
  const { stream } = event
  const parsed = stream.shape.safeParse(event.data)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    const where = issue?.path.join('.') || 'data'
    throw new SluiceError('PAYLOAD_INVALID', `${stream.name}: ${where}: ${issue?.message}`, {
      stream: stream.name,
      id: event.id,
      issues: parsed.error.issues,
    })
  }
  const data = JSON.stringify(event.data)
  if (Buffer.byteLength(data) > stream.maxPayloadBytes) {
    const facts = {
      stream: stream.name,
      id: event.id,
      bytes: Buffer.byteLength(data),
      max: stream.maxPayloadBytes,
    }
    throw new SluiceError(
      'PAYLOAD_TOO_LARGE',
      `${stream.name}: ${facts.bytes} bytes; allowed are ${facts.max}.`,
      facts,
    )
  }
  const key = stream.key(event.data)
  const time = String(event.time ?? now)
  return [key, [event.id, source, event.type ?? stream.name, time, key, event.traceparent ?? '', data]]
}

/** Number of arguments of one event, and the field that each becomes. The script adds `sequence`. */
export const EVENT_FIELDS = ['id', 'source', 'type', 'time', 'partitionkey', 'traceparent', 'data'] as const

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
  const field: Record<string, string> = {}
  for (let i = 0; i + 1 < fields.length; i += 2) field[fields[i]!] = fields[i + 1]!
  const text = field['data']
  if (text === undefined) return { ok: false, reason: 'the field data is missing' }
  if (Buffer.byteLength(text) > stream.maxPayloadBytes) {
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
  const stamped = Number(field['time'])
  return {
    ok: true,
    to: field['to'],
    entry: {
      id: field['id'] || `${stream.name}/${partition}/${entry}`,
      type: field['type'] || stream.name,
      source: field['source'] || 'outside',
      time: stamped > 0 && Number.isFinite(stamped) ? stamped : entryTime(entry),
      key: field['partitionkey'] ?? stream.key(parsed.data),
      sequence: Number(field['sequence'] ?? 0),
      traceparent: field['traceparent'] || undefined,
      data: parsed.data,
      stream: stream.name,
      partition,
      entry,
      attempt,
    },
  }
}

/** The server time at which an entry was added, ms. */
export const entryTime = (entry: string): number => Number(entry.slice(0, entry.indexOf('-')))

/** The named field of a raw entry. */
export function fieldOf(fields: readonly string[], name: string): string | undefined {
  for (let i = 0; i + 1 < fields.length; i += 2) if (fields[i] === name) return fields[i + 1]
  return undefined
}

/** Orders Redis ids, whose two parts are numbers without leading zeros. */
export function compareIds(a: string, b: string): number {
  const [aMs = '', aN = ''] = a.split('-')
  const [bMs = '', bN = ''] = b.split('-')
  return Number(aMs) - Number(bMs) || Number(aN) - Number(bN)
}
