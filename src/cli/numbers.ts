// Numbers as arguments.
import { InvalidArgumentError } from 'commander'

/** A parser for commander; what it refuses is told as a usage error. */
export const atLeast = (least: number) => numbers(`A number of at least ${least}`, least, Number.isFinite)

/** The same for what is counted. */
export const wholeFrom = (least: number) =>
  numbers(`A whole number of at least ${least}`, least, Number.isSafeInteger)

const numbers = (what: string, least: number, isRight: (value: number) => boolean) => (text: string) => {
  const value = Number(text)
  if (text.trim() === '' || !isRight(value) || value < least) {
    throw new InvalidArgumentError(`${what} is needed.`)
  }
  return value
}
