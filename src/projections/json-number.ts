// Money as a JSON number, written out exactly: readers of the replaced systems expect numbers, and a float64 would
// change 12345678901234567.89.
import { type Decimal, decimalText } from '../kernel/index.ts'

/** Stands in an object for its digits when that is turned into JSON. */
export type JsonNumber = object

const { rawJSON } = JSON as unknown as { rawJSON(text: string): JsonNumber }

export const jsonNumber = (value: Decimal): JsonNumber => rawJSON(decimalText(value))
