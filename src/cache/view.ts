// A view is a cached answer, declared once in the catalog. Whoever reads it brings the loader, because the loader
// belongs to the context that owns the truth.
import type { z } from 'zod'
import { SluiceError } from '../kernel/index.ts'

export type ViewKey = readonly (string | number)[]

export interface View<K extends ViewKey, V> {
  readonly name: string
  readonly about: string
  /** Checked at each load: an answer that does not have its shape is never cached. */
  readonly shape: z.ZodType<V>
  /** Names of the key's parts, in order; none for a view with one answer. */
  readonly parts: { readonly [I in keyof K]: string }
  /** An answer is not served from a cache for longer than this after its load began, ms. */
  readonly lifetimeMs: number
}

export type AnyView = Pick<View<ViewKey, unknown>, 'name'>

export const defineView = <K extends ViewKey, V>(view: View<K, V>): View<K, V> => view

/**
 * The key as text: parts joined by ':', each percent-encoded, so that no part can pass for two. Throws USAGE for an
 * empty part or one that is not a finite number: such a key would collect the answers of different questions.
 */
export function encodeKey<K extends ViewKey>(view: View<K, unknown>, key: K): string {
  return key
    .map((part, i) => {
      if (part === '' || (typeof part === 'number' && !Number.isFinite(part))) {
        const name = view.parts[i] ?? `part ${i}`
        throw new SluiceError('USAGE', `View ${view.name} was asked with an empty or infinite ${name}.`, {
          view: view.name,
          part: name,
        })
      }
      return encodeURIComponent(part)
    })
    .join(':')
}
