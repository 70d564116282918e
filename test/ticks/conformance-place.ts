// What a property is asked of, and the words that several of them use.
import { expect } from 'vitest'
import type { Tick, TickStore, Written } from '../../src/ticks/tick.ts'

export interface TickPlace {
  /** A handle on the ticks of this place, the same ones each time; the property closes it. */
  open(): Promise<TickStore>
}

export interface Property {
  readonly says: string
  hold(place: TickPlace): Promise<void>
}

/** Opens a store for the time of `work`. */
export async function using<T>(place: TickPlace, work: (store: TickStore) => Promise<T>): Promise<T> {
  const store = await place.open()
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

export const ALWAYS = { from: 0, to: Number.MAX_SAFE_INTEGER } as const

export const all = (store: TickStore, symbol = 'EURUSD'): Promise<Tick[]> =>
  store.range({ symbol, ...ALWAYS })

export const written = (stored: number, duplicate = 0): Written => ({ stored, duplicate })

/** Equal bit by bit: -0 is not 0, and undefined is not absent. */
export function demandTicks(found: readonly Tick[], wanted: readonly Tick[]): void {
  // Two long lists that differ would be printed in full.
  expect(found.length).toBe(wanted.length)
  const at = found.findIndex((tick, n) => !isSame(tick, wanted[n]!))
  if (at >= 0) expect({ at, ...found[at]! }).toStrictEqual({ at, ...wanted[at]! })
}

function isSame(a: Tick, b: Tick): boolean {
  const fields = Object.keys(b) as (keyof Tick)[]
  return Object.keys(a).length === fields.length && fields.every((field) => Object.is(a[field], b[field]))
}
