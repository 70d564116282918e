// One batch as bytes in a spill file: 24 bytes of header, the series as JSON, the columns as they lie in memory. A
// checksum over all of it tells a whole record from what a crash or a bad disk left of one.
import { crc32 } from 'node:zlib'
import type { BatchSeries, TickBatch } from './batch.ts'
import { COLUMN_NAMES, columnsFor, ROW_BYTES } from './queue-columns.ts'

export const HEADER_BYTES = 24
export const MAGIC = Buffer.from('tick')
// Beyond any batch: a length that cannot be is damage, not a reason to allocate it.
const COUNT_MAX = 4_194_304
const HEAD_BYTES_MAX = 64 * 2 ** 20

export interface RecordHeader {
  readonly count: number
  readonly headBytes: number
  readonly checksum: number
  /** Of the record with its header. */
  readonly bytes: number
}

export function recordOf(batch: TickBatch): Buffer {
  // Padded, because float64 columns can only be looked at from a multiple of 8 on.
  const json = Buffer.from(JSON.stringify(batch.series))
  const head = Buffer.alloc(Math.ceil(json.length / 8) * 8, ' ')
  json.copy(head)
  const header = Buffer.alloc(HEADER_BYTES)
  MAGIC.copy(header)
  header.writeUInt32LE(batch.count, 4)
  header.writeUInt32LE(head.length, 8)
  const columns = COLUMN_NAMES.map((name) => {
    const column = batch[name].subarray(0, batch.count)
    return Buffer.from(column.buffer, column.byteOffset, column.byteLength)
  })
  const record = Buffer.concat([header, head, ...columns])
  record.writeUInt32LE(checksumOf(record), 12)
  return record
}

/** Undefined when these bytes begin no record. */
export function headerOf(bytes: Buffer): RecordHeader | undefined {
  if (bytes.length < HEADER_BYTES || !bytes.subarray(0, 4).equals(MAGIC)) return undefined
  const [count, headBytes, checksum] = [bytes.readUInt32LE(4), bytes.readUInt32LE(8), bytes.readUInt32LE(12)]
  if (count > COUNT_MAX || headBytes > HEAD_BYTES_MAX || headBytes % 8 !== 0) return undefined
  return { count, headBytes, checksum, bytes: HEADER_BYTES + headBytes + count * ROW_BYTES }
}

/** The batch of a whole record; undefined when it is not whole. */
export function batchOfRecord(record: Buffer): TickBatch | undefined {
  const header = headerOf(record)
  if (!header || record.length < header.bytes) return undefined
  const whole = record.subarray(0, header.bytes)
  if (checksumOf(whole) !== header.checksum) return undefined
  const { count, headBytes } = header
  const series = JSON.parse(whole.toString('utf8', HEADER_BYTES, HEADER_BYTES + headBytes)) as BatchSeries[]
  const buffer = new ArrayBuffer(count * ROW_BYTES)
  whole.copy(new Uint8Array(buffer), 0, HEADER_BYTES + headBytes)
  return { count, series, ...columnsFor(count, buffer) }
}

const checksumOf = (record: Buffer): number =>
  crc32(record.subarray(HEADER_BYTES), crc32(record.subarray(0, 12)))
