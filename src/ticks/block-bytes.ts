// Where the bytes of a block are put together, and where they are taken apart. Both are used within one call only, so
// a thread needs one of each.
import { damaged } from './block-damage.ts'
import { putVarint, VARINT_BYTES_MAX } from './varint.ts'

export interface ByteWriter {
  bytes: Uint8Array<ArrayBuffer>
  at: number
}

export interface ByteReader {
  bytes: Uint8Array
  at: number
  end: number
}

/** Makes room for that many more bytes. */
export function reserve(writer: ByteWriter, count: number): void {
  if (writer.at + count <= writer.bytes.length) return
  const larger = new Uint8Array(Math.max(2 * writer.bytes.length, writer.at + count))
  larger.set(writer.bytes.subarray(0, writer.at))
  writer.bytes = larger
}

export function writeByte(writer: ByteWriter, byte: number): void {
  reserve(writer, 1)
  writer.bytes[writer.at++] = byte
}

export function writeVarint(writer: ByteWriter, value: number): void {
  reserve(writer, VARINT_BYTES_MAX)
  writer.at = putVarint(writer.bytes, writer.at, value)
}

export function writeBytes(writer: ByteWriter, bytes: Uint8Array): void {
  reserve(writer, bytes.length)
  writer.bytes.set(bytes, writer.at)
  writer.at += bytes.length
}

export function readByte(reader: ByteReader): number {
  if (reader.at >= reader.end) throw damaged('A block ends too early.')
  return reader.bytes[reader.at++]!
}

export function readVarint(reader: ByteReader): number {
  let value = 0
  for (let scale = 1; scale < 2 ** 53; scale *= 128) {
    const byte = readByte(reader)
    value += (byte & 127) * scale
    if (byte < 128) return value
  }
  throw damaged('A block has a number that is too long.')
}

export function readBytes(reader: ByteReader, count: number): Uint8Array {
  if (reader.at + count > reader.end) throw damaged('A block ends too early.')
  reader.at += count
  return reader.bytes.subarray(reader.at - count, reader.at)
}
