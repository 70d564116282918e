// A column of float64 as bytes, bit by bit the same when it is read. Prices are decimals that somebody wrote down:
// with the fewest digits e for which every value v is exactly round(v · 10^e) / 10^e, the whole numbers are kept, as
// differences. A column with one value for which there is no such e is kept as it lies in memory.
import { type ByteReader, type ByteWriter, readByte, readBytes, reserve, writeByte } from './block-bytes.ts'
import { damaged } from './block-damage.ts'
import { constantFloats } from './column-constants.ts'
import { costOf, readWholes, writeWholes } from './column-wholes.ts'
import { unzigzag, zigzag } from './varint.ts'

// How a column is kept. The numbers are in files.
const ABSENT = 0
const DIFFERENCES = 1
const FROM_OTHER = 2
const WITH_GAPS = 3
const RAW = 4

const DIGITS_MAX = 15
const POWERS = Array.from({ length: DIGITS_MAX + 1 }, (_, e) => 10 ** e)
// So that the difference of two and its zigzag are exact.
const WHOLE_MAX = 2 ** 51
const INT = 2 ** 31

/** A column as whole numbers: value · 10^digits; digits is -1 when it has none. */
export interface Scaled {
  wholes: Float64Array
  digits: number
  gaps: number
}

export const openScaled = (): Scaled => ({ wholes: new Float64Array(0), digits: -1, gaps: 0 })

/** Finds the whole numbers of a column; a NaN repeats the one before it and counts as a gap. */
export function scale(scaled: Scaled, values: Float64Array, from: number, count: number): void {
  if (scaled.wholes.length < count) scaled.wholes = new Float64Array(count)
  scaled.digits = 0
  let first = -1
  while (scaled.digits !== -1 && first !== scaled.digits) {
    first = scaled.digits
    attempt(scaled, values, from, count)
  }
}

// One pass. When a value needs more digits the pass goes on with them, and what came before has to be done again.
function attempt(scaled: Scaled, values: Float64Array, from: number, count: number): void {
  const { wholes } = scaled
  let digits = scaled.digits
  let power = POWERS[digits]!
  let last = 0
  let gaps = 0
  for (let i = 0; i < count; i++) {
    const value = values[from + i]!
    let whole = Math.round(value * power)
    while (whole / power !== value) {
      if (Number.isNaN(value)) {
        whole = last
        gaps++
        break
      }
      if (digits === DIGITS_MAX) {
        scaled.digits = -1
        return
      }
      power = POWERS[++digits]!
      whole = Math.round(value * power)
    }
    if (whole > WHOLE_MAX || whole < -WHOLE_MAX || (whole === 0 && Object.is(value, -0))) {
      scaled.digits = -1
      return
    }
    wholes[i] = whole
    last = whole
  }
  scaled.digits = digits
  scaled.gaps = gaps
}

let differences = new Float64Array(0)
let fromOther = new Float64Array(0)

/**
 * Writes `count` values from `from` on. `scaled` is the room for their whole numbers, and has them afterwards; with
 * `other`, a column that is read before this one, the distance to it is kept where that is smaller.
 */
export function writeFloats(
  writer: ByteWriter,
  values: Float64Array,
  from: number,
  count: number,
  scaled: Scaled,
  other?: Scaled,
): void {
  scale(scaled, values, from, count)
  if (scaled.digits === -1) writeRaw(writer, values, from, count)
  else if (scaled.gaps === count) writeByte(writer, ABSENT)
  else {
    const isFromOther = scaled.gaps === 0 && other?.gaps === 0 && other.digits === scaled.digits
    findDifferences(scaled, count, isFromOther ? other : undefined)
    if (isFromOther && costOf(fromOther, count) < costOf(differences, count)) {
      writeByte(writer, FROM_OTHER)
      writeWholes(writer, fromOther, count)
    } else {
      writeByte(writer, (scaled.gaps > 0 ? WITH_GAPS : DIFFERENCES) | (scaled.digits << 4))
      if (scaled.gaps > 0) writeGaps(writer, values, from, count)
      writeWholes(writer, differences, count)
    }
  }
}

function findDifferences({ wholes }: Scaled, count: number, other: Scaled | undefined): void {
  if (differences.length < count) differences = new Float64Array(count)
  let last = 0
  for (let i = 0; i < count; i++) {
    differences[i] = zigzag(wholes[i]! - last)
    last = wholes[i]!
  }
  if (!other) return
  if (fromOther.length < count) fromOther = new Float64Array(count)
  for (let i = 0; i < count; i++) fromOther[i] = zigzag(wholes[i]! - other.wholes[i]!)
}

/** A bit for each value that is absent. */
function writeGaps(writer: ByteWriter, values: Float64Array, from: number, count: number): void {
  const bytes = Math.ceil(count / 8)
  reserve(writer, bytes)
  writer.bytes.fill(0, writer.at, writer.at + bytes)
  for (let i = 0; i < count; i++) {
    if (Number.isNaN(values[from + i]!)) writer.bytes[writer.at + (i >> 3)]! |= 1 << (i & 7)
  }
  writer.at += bytes
}

// All first bytes, then all second bytes and so on: signs and exponents, which hardly differ, come to lie side by side.
function writeRaw(writer: ByteWriter, values: Float64Array, from: number, count: number): void {
  writeByte(writer, RAW)
  reserve(writer, 8 * count)
  const bytes = new Uint8Array(values.buffer, values.byteOffset + 8 * from, 8 * count)
  for (let plane = 0; plane < 8; plane++) {
    for (let i = plane; i < bytes.length; i += 8) writer.bytes[writer.at++] = bytes[i]!
  }
}

/** The other way round. The column is not to be changed: others may share it. */
export function readFloats(reader: ByteReader, count: number, scaled: Scaled, other?: Scaled): Float64Array {
  const head = readByte(reader)
  const form = head & 15
  if (form === ABSENT) return constantFloats(Number.NaN, count)
  if (form === RAW) return readRaw(reader, count)
  if (scaled.wholes.length < count) scaled.wholes = new Float64Array(count)
  const { wholes } = scaled
  if (form === FROM_OTHER && other) {
    scaled.digits = other.digits
    readWholes(reader, wholes, count)
    return addOther(wholes, other.wholes, POWERS[scaled.digits]!, count)
  }
  if (form !== DIFFERENCES && form !== WITH_GAPS) {
    throw damaged(`A block has a column of the unknown form ${form}.`)
  }
  scaled.digits = head >> 4
  const gaps = form === WITH_GAPS ? readBytes(reader, Math.ceil(count / 8)) : undefined
  if (readWholes(reader, wholes, count) && !gaps) {
    wholes.fill(unzigzag(wholes[0]!), 0, count)
    return constantFloats(wholes[0]! / POWERS[scaled.digits]!, count)
  }
  const out = addUp(wholes, POWERS[scaled.digits]!, count)
  if (gaps) for (let i = 0; i < count; i++) if ((gaps[i >> 3]! >> (i & 7)) & 1) out[i] = Number.NaN
  return out
}

function addUp(wholes: Float64Array, power: number, count: number): Float64Array {
  const out = new Float64Array(count)
  let whole = 0
  for (let i = 0; i < count; i++) {
    const difference = wholes[i]!
    whole += difference < INT ? (difference >>> 1) ^ -(difference & 1) : unzigzag(difference)
    wholes[i] = whole
    out[i] = whole / power
  }
  return out
}

function addOther(wholes: Float64Array, others: Float64Array, power: number, count: number): Float64Array {
  const out = new Float64Array(count)
  for (let i = 0; i < count; i++) {
    const distance = wholes[i]!
    const whole = others[i]! + (distance < INT ? (distance >>> 1) ^ -(distance & 1) : unzigzag(distance))
    wholes[i] = whole
    out[i] = whole / power
  }
  return out
}

function readRaw(reader: ByteReader, count: number): Float64Array {
  const planes = readBytes(reader, 8 * count)
  const out = new Float64Array(count)
  const bytes = new Uint8Array(out.buffer)
  let at = 0
  for (let plane = 0; plane < 8; plane++) {
    for (let i = plane; i < bytes.length; i += 8) bytes[i] = planes[at++]!
  }
  return out
}
