// A column of whole numbers without a sign as bytes: varints, or one number when the others say nothing new.
import {
  type ByteReader,
  type ByteWriter,
  readByte,
  readVarint,
  reserve,
  writeByte,
  writeVarint,
} from './block-bytes.ts'
import { damaged } from './block-damage.ts'
import { constantWords } from './column-constants.ts'
import { putVarints, takeVarints, unzigzag, VARINT_BYTES_MAX, zigzag } from './varint.ts'

const ALL_THE_SAME = 0
const ONLY_THE_FIRST = 1
const EACH = 2

export function writeWholes(writer: ByteWriter, values: Float64Array, count: number): void {
  let same = 1
  while (same < count && values[same] === values[0]) same++
  let zeros = 1
  while (zeros < count && values[zeros] === 0) zeros++
  if (same === count || zeros === count) {
    writeByte(writer, same === count ? ALL_THE_SAME : ONLY_THE_FIRST)
    writeVarint(writer, values[0]!)
  } else {
    writeByte(writer, EACH)
    reserve(writer, count * VARINT_BYTES_MAX)
    writer.at = putVarints(writer.bytes, writer.at, values, count)
  }
}

/** True when all but the first are 0. */
export function readWholes(reader: ByteReader, out: Float64Array, count: number): boolean {
  const form = readByte(reader)
  if (form === EACH) {
    const behind = takeVarints(reader.bytes, reader.at, reader.end, out, count)
    if (behind > reader.end) throw damaged('A block ends too early.')
    reader.at = behind
    return false
  }
  if (form !== ALL_THE_SAME && form !== ONLY_THE_FIRST) {
    throw damaged(`A block has numbers of the unknown form ${form}.`)
  }
  const first = readVarint(reader)
  const rest = form === ALL_THE_SAME ? first : 0
  out.fill(rest, 0, count)
  out[0] = first
  return rest === 0 || count === 1
}

let differences = new Float64Array(0)

/** A column of unsigned words, which hardly ever change. */
export function writeWords(writer: ByteWriter, values: Uint32Array, from: number, count: number): void {
  if (differences.length < count) differences = new Float64Array(count)
  let last = 0
  for (let i = 0; i < count; i++) {
    const value = values[from + i]!
    differences[i] = zigzag(value - last)
    last = value
  }
  writeWholes(writer, differences, count)
}

export function readWords(reader: ByteReader, count: number): Uint32Array {
  if (differences.length < count) differences = new Float64Array(count)
  if (readWholes(reader, differences, count)) return constantWords(unzigzag(differences[0]!), count)
  const out = new Uint32Array(count)
  let last = 0
  for (let i = 0; i < count; i++) {
    last += unzigzag(differences[i]!)
    out[i] = last
  }
  return out
}

const counts = new Uint32Array(256)

/** About how many bits these take once they are compressed: their entropy. Of a few, the bits that they have. */
export function costOf(values: Float64Array, count: number): number {
  let bits = 0
  if (count < counts.length) {
    for (let i = 0; i < count; i++) bits += 32 - Math.clz32(values[i]!)
    return bits
  }
  counts.fill(0)
  for (let i = 0; i < count; i++) {
    const value = values[i]!
    const bin = value < 128 ? value : 255 - Math.clz32(value)
    counts[bin]! += 1
    if (value >= 128) bits += 31 - Math.clz32(value)
  }
  for (const many of counts) if (many > 0) bits += many * Math.log2(count / many)
  return bits
}
