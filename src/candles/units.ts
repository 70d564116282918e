// The units of Vietnamese prices: shares stand in files in thousands of VND and are kept in VND; an index has no unit
// and is never scaled. Scaling moves the decimal point of the text, so that 20.48333 thousand are 20483.33 and not the
// 20483.329999999998 of a multiplication.
import { SluiceError } from '../kernel/index.ts'

const INDICES: ReadonlySet<string> = new Set(['VNINDEX', 'VN30'])

export const isIndex = (ticker: string): boolean => INDICES.has(ticker)

/** 3 for 1,000. Throws USAGE for what is no power of ten. */
export function powerOfTen(scale: number): number {
  const power = Math.round(Math.log10(scale))
  if (Number(`1e${power}`) === scale && Math.abs(power) <= 12) return power
  throw new SluiceError(
    'USAGE',
    `A scale of ${scale} is not allowed; allowed: 1, 10, 100, 1000 …, or 0.1, 0.01 ….`,
    {
      scale,
    },
  )
}

/** The number of a decimal text with its point moved to the right. */
export function shifted(text: string, power: number): number {
  if (power === 0) return Number(text)
  const [digits, exponent = '0'] = text.toLowerCase().split('e')
  return Number(`${digits}e${Number(exponent) + power}`)
}
