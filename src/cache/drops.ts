// The message that says which answers are no longer true. It names views, or single keys of a view.
import { z } from 'zod'
import type { AnyView, View, ViewKey } from './view.ts'
import { encodeKey } from './view.ts'

export interface Drop {
  readonly view: string
  /** The encoded key; without one, every key of the view. */
  readonly key?: string | undefined
}

const message = z.object({
  drops: z.array(z.object({ view: z.string().min(1), key: z.string().optional() })).min(1),
})

/** The message for whole views: what a writer puts into its outbox. */
export const dropViews = (views: readonly AnyView[]): string =>
  encodeDrops(views.map((view) => ({ view: view.name })))

export const dropOf = <K extends ViewKey>(view: View<K, unknown>, key: K | undefined): Drop =>
  key === undefined ? { view: view.name } : { view: view.name, key: encodeKey(view, key) }

export const encodeDrops = (drops: readonly Drop[]): string => JSON.stringify({ drops })

/** Undefined for a message that cannot be understood: the reader then has to assume that it meant everything. */
export function decodeDrops(text: string): readonly Drop[] | undefined {
  try {
    return message.parse(JSON.parse(text)).drops
  } catch {
    return undefined
  }
}
