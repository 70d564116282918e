// A view is a cached answer, declared once in the catalog. Whoever reads it brings the loader, because the loader
// belongs to the context that owns the truth.
import type { z } from 'zod'
import { SluiceError } from '../kernel/index.ts'

export type ViewKey = readonly (string | number)[]

/** How long an answer may go without a look at its source, ms. What changes it drops it long before. */
export const LIFETIMES = { short: 10_000, medium: 60_000, long: 300_000 } as const

export interface View<K extends ViewKey, V> {
  /** Lower-case words and dots. */
  readonly name: string
  readonly about: string
  /**
   * Checked at each load: an answer that does not have it is never cached. Of what JSON gives back as it was: a Date would
   * be a text for everybody but who has loaded it.
   */
  readonly shape: z.ZodType<V>
  /** Raised when the shape changes: answers of other versions are not seen. Default 1. */
  readonly version?: number
  /** Names of the key's parts, in order; none for a view with one answer. */
  readonly parts: { readonly [I in keyof K]: string }
  /**
   * After this one caller in all processes loads the next answer, ms, and only `graceMs` lets others have the old one
   * meanwhile; who asks in its last tenth gets it and has the next one loaded in time. A function of the key
   * and the time (ms UTC) for answers that keep until something opens or closes.
   */
  readonly lifetimeMs: number | ((key: K, now: number) => number)
  /** Nothing drops it: an answer may be as old as its lifetime, and differ from its source until then. */
  readonly onlyAges?: true
  /** How much longer than `lifetimeMs` an answer may be given while loading it fails or nobody asks, ms. Default 0. */
  readonly graceMs?: number
  /**
   * Where answers are kept. `memory`: in each process. `redis`: one for all, nothing in a process, for what must be
   * seen by all in the same moment. Default `both`.
   */
  readonly level?: 'memory' | 'redis' | 'both'
  /** Whole sets of answers that are dropped together: an answer is gone when one of its tags is dropped. */
  readonly tags?: (key: K) => readonly string[]
}

export type AnyView = View<ViewKey, unknown>

const NAME = /^[a-z][a-z0-9.]*$/

/** Throws USAGE for a name that could be taken for two. */
export function defineView<K extends ViewKey, V>(view: View<K, V>): View<K, V> {
  if (!NAME.test(view.name)) {
    throw new SluiceError('USAGE', `A view is named ${JSON.stringify(view.name)}; allowed: ${NAME.source}.`)
  }
  return view
}

// Encoding one of these changes nothing, and looking costs a fifth of encoding.
const PLAIN = /^[\w.~-]+$/

/**
 * The key as text: parts joined by ':', each percent-encoded, so that no part can pass for two. Throws USAGE for an
 * empty part or one that is not a finite number: such a key would collect the answers of different questions.
 */
export function encodeKey<K extends ViewKey>(view: View<K, unknown>, key: NoInfer<K>): string {
  if (key.length === 1) return encodePart(view, key[0]!, 0)
  let text = ''
  for (let i = 0; i < key.length; i++) text += `${i > 0 ? ':' : ''}${encodePart(view, key[i]!, i)}`
  return text
}

/** Where an answer is kept, in memory and in Redis. */
export const placeOf = <K extends ViewKey>(view: View<K, unknown>, key: NoInfer<K>): string =>
  `${view.name}:${encodeKey(view, key)}`

// An answer in Redis begins with its end in 13 digits.
const LIFETIME_MAX_MS = 100 * 365 * 86_400_000

/**
 * From `least` to a hundred years; `least` for what is no number. Redis takes whole ms above 0 only, and with one that it
 * refuses it stores none of the same call: everybody waits for their leases, and three such calls are taken for its end.
 */
const wholeMs = (ms: number, least: number) =>
  Number.isNaN(ms) ? least : Math.min(Math.max(Math.ceil(ms), least), LIFETIME_MAX_MS)

/**
 * Shorter by up to a tenth, which the key decides, so that what was stored together does not end together. Whole ms, from
 * 1 for what is over already.
 */
export function lifetimeOf<K extends ViewKey>(view: View<K, unknown>, key: K, now: number): number {
  const ms = typeof view.lifetimeMs === 'number' ? view.lifetimeMs : view.lifetimeMs(key, now)
  let mixed = 0
  for (const letter of placeOf(view, key)) mixed = (mixed * 31 + letter.charCodeAt(0)) % 1_000
  return wholeMs(ms * (1 - mixed / 10_000), 1)
}

/** When the next one is due, and how long the old one may be given, ms from now. */
export function termsOf<K extends ViewKey>(view: View<K, unknown>, key: K, now: number) {
  const softMs = lifetimeOf(view, key, now)
  return { softMs, hardMs: softMs + wholeMs(view.graceMs ?? 0, 0) }
}

function encodePart(
  view: { readonly name: string; readonly parts: unknown },
  part: string | number,
  i: number,
): string {
  if (typeof part === 'string' && PLAIN.test(part)) return part
  if (part === '' || (typeof part === 'number' && !Number.isFinite(part))) {
    const name = (view.parts as readonly string[])[i] ?? `part ${i}`
    const message = `View ${view.name} was asked with an empty or infinite ${name}.`
    throw new SluiceError('USAGE', message, { view: view.name, part: name })
  }
  return encodeURIComponent(part)
}
