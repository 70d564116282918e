// A block: some thousand ticks of a series as bytes. Times are differences of their largest common unit, sequences are
// kept where they are not the expected next, prices are column-floats.ts. In archives times and the rest are compressed apart, because their
// bytes have nothing in common (a synthetic feed: 3.92 bytes a tick apart, 4.24 together).
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { messageOf } from '../kernel/index.ts'
import {
  type ByteReader,
  type ByteWriter,
  readByte,
  readBytes,
  readVarint,
  writeByte,
  writeBytes,
  writeVarint,
} from './block-bytes.ts'
import { damaged } from './block-damage.ts'
import { ZEROS } from './column-constants.ts'
import { openScaled, readFloats, writeFloats } from './column-floats.ts'
import { readTimes, writeTimes } from './column-times.ts'
import { readWords, writeWords } from './column-wholes.ts'
import { BLOCK_TICKS_MAX, type TickColumns } from './columns.ts'

const VERSION = 1
const PLAIN = 0
const ZSTD = 1
// Level 9 saves 4 % more and takes twice the time.
const LEVEL = 3
// Below, the frame costs more than it saves.
const COMPRESS_BYTES_MIN = 48

const openWriter = (): ByteWriter => ({ bytes: new Uint8Array(65_536), at: 0 })
const whole = openWriter()
const part = openWriter()
const scratch = { bid: openScaled(), ask: openScaled(), other: openScaled() }

/** Ticks `from` to `to` (exclusive), at least one. `compress` is slower and half as large: for archives. */
export function encodeBlock(
  columns: TickColumns,
  from: number,
  to: number,
  compress: boolean,
): Uint8Array<ArrayBuffer> {
  const count = to - from
  whole.at = 0
  writeByte(whole, VERSION)
  writeVarint(whole, count)
  const brokers = writeBrokers(columns, from, count)
  part.at = 0
  writeTimes(part, columns, from, count)
  writePart(compress)
  part.at = 0
  writeFloats(part, columns.bid, from, count, scratch.bid)
  writeFloats(part, columns.ask, from, count, scratch.ask, scratch.bid)
  writeFloats(part, columns.bidSize, from, count, scratch.other)
  writeFloats(part, columns.askSize, from, count, scratch.other)
  writeFloats(part, columns.volume, from, count, scratch.other)
  writeWords(part, columns.flags, from, count)
  writeWords(part, brokers, 0, count)
  writePart(compress)
  return whole.bytes.slice(0, whole.at)
}

/** Writes the names that occur; returns which of them each tick has. */
function writeBrokers({ broker, brokers }: TickColumns, from: number, count: number): Uint32Array {
  let same = 1
  while (same < count && broker[from + same] === broker[from]) same++
  const used = same === count ? [broker[from]!] : [...new Set(broker.subarray(from, from + count))]
  writeVarint(whole, used.length)
  for (const index of used) {
    const bytes = Buffer.from(brokers[index]!)
    writeVarint(whole, bytes.length)
    writeBytes(whole, bytes)
  }
  return same === count ? ZEROS : broker.slice(from, from + count).map((index) => used.indexOf(index))
}

function writePart(compress: boolean): void {
  const bytes = part.bytes.subarray(0, part.at)
  const smaller = compress && bytes.length >= COMPRESS_BYTES_MIN ? zstd(bytes) : bytes
  const isSmaller = smaller.length < bytes.length
  writeByte(whole, isSmaller ? ZSTD : PLAIN)
  writeVarint(whole, bytes.length)
  if (isSmaller) writeVarint(whole, smaller.length)
  writeBytes(whole, isSmaller ? smaller : bytes)
}

const zstd = (bytes: Uint8Array): Uint8Array =>
  zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: LEVEL } })

/** TICKS_DAMAGED for what is not a block; a checksum must have told a changed one before. */
export function decodeBlock(bytes: Uint8Array): TickColumns {
  const reader: ByteReader = { bytes, at: 0, end: bytes.length }
  const version = readByte(reader)
  if (version !== VERSION) throw damaged(`A block has the unknown version ${version}.`)
  const count = readVarint(reader)
  if (count < 1 || count > BLOCK_TICKS_MAX) throw damaged(`A block says that it has ${count} ticks.`)
  const brokers: string[] = []
  for (let left = readVarint(reader); left > 0; left--) {
    brokers.push(Buffer.from(readBytes(reader, readVarint(reader))).toString())
  }
  const times = readPart(reader)
  const { time, sequence } = readTimes(times, count)
  const rest = readPart(reader)
  const columns: TickColumns = {
    count,
    time,
    sequence,
    bid: readFloats(rest, count, scratch.bid),
    ask: readFloats(rest, count, scratch.ask, scratch.bid),
    bidSize: readFloats(rest, count, scratch.other),
    askSize: readFloats(rest, count, scratch.other),
    volume: readFloats(rest, count, scratch.other),
    flags: readWords(rest, count),
    broker: readWords(rest, count),
    brokers,
  }
  if (reader.at !== reader.end || times.at !== times.end || rest.at !== rest.end) {
    throw damaged('A block has more or less in it than it says.')
  }
  checkBrokers(columns)
  return columns
}

function checkBrokers({ count, broker, brokers }: TickColumns): void {
  if (broker === ZEROS && brokers.length > 0) return
  for (let i = 0; i < count; i++) {
    if (broker[i]! >= brokers.length) throw damaged('A block names a broker that it does not know.')
  }
}

function readPart(reader: ByteReader): ByteReader {
  const form = readByte(reader)
  const size = readVarint(reader)
  if (form === PLAIN) return readerOf(readBytes(reader, size))
  if (form !== ZSTD) throw damaged(`A block has a part of the unknown form ${form}.`)
  const bytes = readBytes(reader, readVarint(reader))
  try {
    return readerOf(zstdDecompressSync(bytes, { maxOutputLength: size }))
  } catch (error) {
    throw damaged(`A block cannot be decompressed (${messageOf(error)}).`, {}, error)
  }
}

const readerOf = (bytes: Uint8Array): ByteReader => ({ bytes, at: 0, end: bytes.length })
