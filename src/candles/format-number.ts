// Numbers as the reference's files print them. They were made by a program that rounds the exact value of the
// float64 and, where that lies exactly in the middle, to the even digit: 23156.625 is 23156.62. JavaScript's toFixed
// is as exact, but gives 23156.63 there (507 cells of the 68,055 in the recorded files).

/** Two decimals from 1 on, more below, so that a coin's price keeps its digits. */
export function formatPrice(price: number): string {
  const size = Math.abs(price)
  return fixed(price, size >= 1 ? 2 : size >= 0.01 ? 4 : size >= 0.0001 ? 6 : 8)
}

/** Scores and changes, %. */
export const formatPercent = (value: number): string => fixed(value, 4)

export const formatMoney = (value: number): string => fixed(value, 0)

function fixed(value: number, digits: number): string {
  // toFixed turns to exponents there; all such numbers are whole.
  if (Math.abs(value) >= 1e21) return BigInt(value) + (digits > 0 ? `.${'0'.repeat(digits)}` : '')
  // In the middle lies only what has exactly one digit more, a 5; powers of two multiply exactly.
  if (Number.isInteger(value * 2 ** (digits + 1))) {
    const exact = value.toFixed(digits + 1)
    if (exact.endsWith('5')) {
      const isEven = '02468'.includes(exact.slice(0, -1).replace('.', '').at(-1)!)
      if (isEven) return digits === 0 ? exact.slice(0, -2) : exact.slice(0, -1)
    }
  }
  return value.toFixed(digits)
}
