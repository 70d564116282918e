// Whole numbers up to 2^53 in one to eight bytes, seven bits each, the lowest first. Below 2^31 only integer
// arithmetic is used, which is what prices and times need nearly always.

/** The most bytes that one number takes. */
export const VARINT_BYTES_MAX = 8

const INT = 2 ** 31

/** Small numbers of either sign become small ones without a sign: 0, -1, 1, -2 … are 0, 1, 2, 3 …; exact to 2^52. */
export const zigzag = (value: number): number => (value >= 0 ? 2 * value : -2 * value - 1)
export const unzigzag = (value: number): number => (value % 2 === 0 ? value / 2 : -(value + 1) / 2)

/** Returns the place behind it. */
export function putVarint(bytes: Uint8Array, at: number, value: number): number {
  let place = at
  let rest = value
  while (rest >= INT) {
    bytes[place++] = (rest % 128) | 128
    rest = Math.floor(rest / 128)
  }
  let word = rest | 0
  while (word >= 128) {
    bytes[place++] = (word & 127) | 128
    word >>>= 7
  }
  bytes[place++] = word
  return place
}

export function putVarints(bytes: Uint8Array, at: number, values: Float64Array, count: number): number {
  let place = at
  for (let i = 0; i < count; i++) {
    const value = values[i]!
    if (value < 128) bytes[place++] = value
    else place = putVarint(bytes, place, value)
  }
  return place
}

/** Reads `count` numbers; returns the place behind them, which lies behind `end` when the bytes are damaged. */
export function takeVarints(
  bytes: Uint8Array,
  at: number,
  end: number,
  out: Float64Array,
  count: number,
): number {
  let place = at
  for (let i = 0; i < count && place < end; i++) {
    let byte = bytes[place++]!
    let value = byte & 127
    if (byte >= 128) {
      byte = bytes[place++]!
      value |= (byte & 127) << 7
      if (byte >= 128) {
        byte = bytes[place++]!
        value |= (byte & 127) << 14
        if (byte >= 128) {
          byte = bytes[place++]!
          value |= (byte & 127) << 21
          for (let scale = 2 ** 28; byte >= 128 && place < end; scale *= 128) {
            byte = bytes[place++]!
            value += (byte & 127) * scale
          }
        }
      }
    }
    out[i] = value
  }
  return place
}
