// Ticks as fixed binary records (docs/API.md).
import type { Tick } from '../ticks/index.ts'

const MAGIC = 'STK1'
const RECORD_BYTES = 64

/**
 * `STK1`, the length of a JSON header (uint32), the header padded with spaces to a multiple of 8, then records of 64
 * bytes, all little-endian: time ms (float64), nanos, sequence, index in `sources`, flags (uint32 each), bid, ask,
 * bid size, ask size, volume (float64 each; a size that is not known is NaN).
 */
export function ticksBinary(symbol: string, ticks: readonly Tick[]): Buffer {
  const sources = [...new Set(ticks.map(({ source }) => source))]
  const head = JSON.stringify({ symbol, sources, count: ticks.length, recordBytes: RECORD_BYTES })
  const header = Buffer.alloc(Math.ceil(Buffer.byteLength(head) / 8) * 8, ' ')
  header.write(head)
  const start = 8 + header.length
  const out = Buffer.alloc(start + ticks.length * RECORD_BYTES)
  out.write(MAGIC, 0, 'latin1')
  out.writeUInt32LE(header.length, 4)
  header.copy(out, 8)
  for (const [i, tick] of ticks.entries()) {
    const at = start + i * RECORD_BYTES
    out.writeDoubleLE(tick.time, at)
    const words = [tick.nanos, tick.sequence, sources.indexOf(tick.source), tick.flags >>> 0]
    for (const [k, word] of words.entries()) out.writeUInt32LE(word, at + 8 + k * 4)
    const { bid, ask, bidSize = Number.NaN, askSize = Number.NaN, volume } = tick
    for (const [k, value] of [bid, ask, bidSize, askSize, volume].entries()) {
      out.writeDoubleLE(value, at + 24 + k * 8)
    }
  }
  return out
}
