// Which answers are no longer true: single keys of a view, or everything under a tag. A writer puts this into the outbox
// of its transaction.
import { z } from 'zod'
import { placeOf, type View, type ViewKey } from './view.ts'

export type Drop = { readonly place: string } | { readonly tag: string }

const shape = z.object({
  drops: z.array(z.union([z.object({ place: z.string().min(1) }), z.object({ tag: z.string().min(1) })])),
})

export const dropKey = <K extends ViewKey>(view: View<K, unknown>, key: NoInfer<K>): Drop => ({
  place: placeOf(view, key),
})
export const dropTag = (tag: string): Drop => ({ tag })

export const encodeDrops = (drops: readonly Drop[]): string => JSON.stringify({ drops })

/** Undefined for what is no message of drops: the reader has to assume that it meant everything. */
export function decodeDrops(text: string): readonly Drop[] | undefined {
  try {
    return shape.parse(JSON.parse(text)).drops
  } catch {
    return undefined
  }
}

export interface Told {
  readonly epoch: string
  readonly sequence: number
  readonly drops: readonly Drop[]
}

/** What a drop says on the channel: `epoch|sequence|drops`. Undefined for anything else. */
export function readTold(text: string): Told | undefined {
  const [, epoch, sequence, message] = /^([^|]+)\|(\d+)\|(.*)$/s.exec(text) ?? []
  const drops = message === undefined ? undefined : decodeDrops(message)
  return epoch === undefined || drops === undefined ? undefined : { epoch, sequence: Number(sequence), drops }
}
