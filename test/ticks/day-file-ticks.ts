// Ticks of one day in the past, and what a folder says of it.
import { expect } from 'vitest'
import { systemClock } from '../../src/kernel/index.ts'
import { openTickArchive, type TickArchive } from '../../src/ticks/archive.ts'
import { openSqliteTicks } from '../../src/ticks/sqlite-ticks.ts'
import type { Tick, TickStore } from '../../src/ticks/tick.ts'
import { all, demandTicks } from './conformance-place.ts'
import { feed } from './samples.ts'

export const DAY = '2026-01-19'
/** Ticks in a list that a child writes. */
export const LIST = 100

/** Of four symbols, in the order of time. */
export const manyTicks = (count: number): Tick[] => feed(count)

export async function withStore<T>(dir: string, work: (store: TickStore) => Promise<T>): Promise<T> {
  const store = openSqliteTicks({ dir, clock: systemClock })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

export async function withArchive<T>(
  dir: string,
  work: (archive: TickArchive) => T | Promise<T>,
): Promise<T> {
  const archive = openTickArchive({ dir, clock: systemClock, busyMs: 200 })
  try {
    return await work(archive)
  } finally {
    archive.close()
  }
}

/** The folder answers with exactly these, by every way of asking. */
export async function demandAll(dir: string, ticks: readonly Tick[]): Promise<void> {
  await withStore(dir, async (store) => {
    const symbols = [...new Set(ticks.map(({ symbol }) => symbol))].sort()
    for (const symbol of symbols) {
      const wanted = ticks.filter((one) => one.symbol === symbol)
      demandTicks(await all(store, symbol), wanted)
      demandTicks(await store.recent(symbol, 50), wanted.slice(-50))
    }
    const counted = (await store.series()).reduce((sum, one) => sum + one.ticks, 0)
    expect(counted).toBe(ticks.length)
  })
}
