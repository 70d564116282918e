// Times and sequences of a block as bytes. A time is the difference to the one before in the largest unit that all of
// them are multiples of. A sequence is 0, or one more than that of a tick before it at the same time: only what differs costs anything.
import { SluiceError } from '../kernel/index.ts'
import { type ByteReader, type ByteWriter, readByte, writeByte } from './block-bytes.ts'
import { damaged } from './block-damage.ts'
import { ZEROS } from './column-constants.ts'
import { readWholes, writeWholes } from './column-wholes.ts'
import type { TickColumns } from './columns.ts'
import { unzigzag, zigzag } from './varint.ts'

/** ns. The numbers of their places are in files. */
const UNITS = [1_000_000_000, 1_000_000, 1_000, 100, 1]

let steps = new Float64Array(0)

export function writeTimes(writer: ByteWriter, columns: TickColumns, from: number, count: number): void {
  if (steps.length < count) steps = new Float64Array(count)
  const { time, sequence } = columns
  let place = 0
  for (let i = from; i < from + count; i++) {
    while (place < UNITS.length - 1 && Math.floor(time[i]! / UNITS[place]!) * UNITS[place]! !== time[i])
      place++
  }
  const unit = UNITS[place]!
  writeByte(writer, place)
  let last = 0
  for (let i = 0; i < count; i++) {
    // The difference first: it is exact, and so is its quotient.
    const step = time[from + i]! - last
    if (step < 0) throw new SluiceError('INTERNAL', 'Ticks of a block are not in order.', { at: from + i })
    steps[i] = step / unit
    last = time[from + i]!
  }
  writeWholes(writer, steps, count)
  for (let i = 0; i < count; i++) {
    const at = from + i
    const expected = i > 0 && time[at] === time[at - 1] ? sequence[at - 1]! + 1 : 0
    steps[i] = zigzag(sequence[at]! - expected)
  }
  writeWholes(writer, steps, count)
}

export function readTimes(reader: ByteReader, count: number): Pick<TickColumns, 'time' | 'sequence'> {
  if (steps.length < count) steps = new Float64Array(count)
  const unit = UNITS[readByte(reader)]
  if (unit === undefined) throw damaged('A block has times of an unknown unit.')
  readWholes(reader, steps, count)
  const time = new Float64Array(count)
  let last = 0
  for (let i = 0; i < count; i++) {
    last += steps[i]! * unit
    time[i] = last
  }
  readWholes(reader, steps, count)
  let sequence: Uint32Array = ZEROS
  let expected = 0
  for (let i = 0; i < count; i++) {
    if (i > 0 && time[i] !== time[i - 1]) expected = 0
    const step = steps[i]!
    const found = step === 0 ? expected : expected + unzigzag(step)
    if (found !== 0 && sequence === ZEROS) sequence = new Uint32Array(count)
    if (sequence !== ZEROS) sequence[i] = found
    expected = found + 1
  }
  return { time, sequence }
}
