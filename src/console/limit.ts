// The only parameters that the API takes.
import { SluiceError } from '../kernel/index.ts'

export const LIMIT_DEFAULT = 50
export const LIMIT_MAX = 1_000

/** Throws REQUEST_INVALID unless `limit` is absent or written as a whole number from 1 to `most`. */
export function limitOf(query: unknown, most = LIMIT_MAX): number {
  const given = (query as { limit?: unknown }).limit
  if (given === undefined) return LIMIT_DEFAULT
  const limit = typeof given === 'string' && /^\d{1,4}$/.test(given) ? Number(given) : 0
  if (limit >= 1 && limit <= most) return limit
  throw new SluiceError(
    'REQUEST_INVALID',
    `limit is ${shown(given)}; allowed: a whole number from 1 to ${most}.`,
    { limit: shown(given) },
  )
}

/** One of `allowed`, or all of them when the parameter is absent. Throws REQUEST_INVALID. */
export function choiceOf(query: unknown, name: string, allowed: readonly string[]): readonly string[] {
  const given = (query as Record<string, unknown>)[name]
  if (given === undefined) return allowed
  if (typeof given === 'string' && allowed.includes(given)) return [given]
  throw new SluiceError('REQUEST_INVALID', `${name} is ${shown(given)}; allowed: ${allowed.join(', ')}.`, {
    [name]: shown(given),
  })
}

/** A parameter of any text, or undefined when it is absent. Throws REQUEST_INVALID for one that is given twice. */
export function textOf(query: unknown, name: string): string | undefined {
  const given = (query as Record<string, unknown>)[name]
  if (given === undefined || typeof given === 'string') return given
  throw new SluiceError('REQUEST_INVALID', `${name} is ${shown(given)}; allowed: one text.`, {
    [name]: shown(given),
  })
}

const NAME_CHARACTERS_MAX = 200

/** A name that must be there. Throws REQUEST_INVALID. */
export function nameOf(query: unknown, name: string): string {
  const given = textOf(query, name)
  if (given && given.length <= NAME_CHARACTERS_MAX && given.isWellFormed()) return given
  throw new SluiceError(
    'REQUEST_INVALID',
    `${name} is ${shown(given ?? null)}; needed: a name of 1 to ${NAME_CHARACTERS_MAX} characters.`,
    { [name]: shown(given ?? null) },
  )
}

const shown = (given: unknown) => JSON.stringify(given).slice(0, 60)
