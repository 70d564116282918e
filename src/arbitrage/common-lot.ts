// The smallest quantity step that both venues accept: the least common multiple of two decimal lots.
import { type Decimal, decimal, decimalText } from '../kernel/index.ts'

/** Every multiple of the result is a multiple of both. Lots are above 0. */
export function commonLot(a: Decimal, b: Decimal): Decimal {
  const places = Math.max(placesOf(a), placesOf(b))
  const [x, y] = [scaled(a, places), scaled(b, places)]
  return decimal(`${(x / divisor(x, y)) * y}e-${places}`)
}

const placesOf = (value: Decimal) => decimalText(value).split('.')[1]?.length ?? 0

function scaled(value: Decimal, places: number): bigint {
  const [whole, fraction = ''] = decimalText(value).split('.')
  return BigInt(`${whole}${fraction.padEnd(places, '0')}`)
}

function divisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : divisor(b, a % b)
}
