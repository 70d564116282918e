// Numbers as arguments.
import { InvalidArgumentError } from 'commander'

/** A parser for commander; what it refuses is told as a usage error. */
export function atLeast(least: number) {
  return (text: string): number => {
    const value = Number(text)
    if (text.trim() === '' || !Number.isFinite(value) || value < least) {
      throw new InvalidArgumentError(`A number of at least ${least} is needed.`)
    }
    return value
  }
}
