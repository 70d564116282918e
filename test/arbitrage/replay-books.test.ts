import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { percentile } from '../../src/arbitrage/episodes.ts'
import { replayBooks } from '../../src/arbitrage/replay-books.ts'
import { recording } from '../support/recordings.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-replay-'))
afterAll(() => rmSync(folder, { recursive: true }))

const file = (lines: unknown[]) => {
  const path = join(folder, `${lines.length}-${Math.floor(performance.now() * 1000)}.jsonl`)
  writeFileSync(path, lines.map((line) => JSON.stringify(line)).join('\n'))
  return path
}
const snapshot = (timestamp: number, exchange: string, bid: number, ask: number) => ({
  timestamp,
  exchange,
  bids: [[bid, 2]],
  asks: [[ask, 1]],
})

const books = recording('brl/books.jsonl.zst')
// Computed independently of this project (README of the recordings).
const FIGURES: [number, number, number, number, string, string, number, number, number, number][] = [
  [0, 3_902, 104, 37.947, '19.36', '145.15', 177.08, 3.5303, 245.89, 8.7635],
  [5, 2_790, 83, 27.914, '15.87', '181.15', 262.5, 4.2824, 356.44, 6.0077],
  [10, 1_887, 115, 17.891, '8.41', '71.34', 156.02, 5.7658, 185.92, 7.5807],
]

describe('replay of recorded books', () => {
  it.skipIf(!books).each(FIGURES)(
    'gives the independently computed figures at %i bps a side',
    async (feeBps, crossed, episodes, edge, p50, p90, topProfit, topQuantity, sweepProfit, sweepQuantity) => {
      const found = await replayBooks(books!, { feeBps })
      expect(found).toMatchObject({ snapshots: 14_467, bothKnown: 14_466, crossed, episodes })
      expect(found.maxEdgeBps!.toFixed(3)).toBe(edge.toFixed(3))
      expect(found.lifeP50Seconds!.toFixed(2)).toBe(p50)
      expect(found.lifeP90Seconds!.toFixed(2)).toBe(p90)
      expect(Math.abs(found.topProfit - topProfit)).toBeLessThanOrEqual(0.01)
      expect(Math.abs(found.topQuantity - topQuantity)).toBeLessThanOrEqual(0.0001)
      expect(Math.abs(found.sweepProfit - sweepProfit)).toBeLessThanOrEqual(0.01)
      expect(Math.abs(found.sweepQuantity - sweepQuantity)).toBeLessThanOrEqual(0.0001)
    },
  )

  it.skipIf(!books)('finds nothing in them at 20 bps a side, and says how far away it was', async () => {
    const found = await replayBooks(books!, { feeBps: 20 })
    expect(found).toMatchObject({
      crossed: 0,
      episodes: 0,
      lifeP50Seconds: null,
      lifeP90Seconds: null,
      topProfit: 0,
    })
    expect(found.maxEdgeBps!.toFixed(3)).toBe('-2.124')
  })

  it('counts only episodes that ended, in either direction, and measures life to the first moment without', async () => {
    const path = file([
      snapshot(10, 'EX1', 100, 101),
      snapshot(11, 'EX2', 103, 104),
      snapshot(14, 'EX2', 100, 101),
      snapshot(15, 'EX2', 97, 98),
      snapshot(20, 'EX1', 96, 97.5),
      snapshot(21, 'EX1', 105, 106),
    ])
    const found = await replayBooks(path, { feeBps: 0 })
    expect(found).toMatchObject({ snapshots: 6, bothKnown: 5, crossed: 3, episodes: 2 })
    expect(found.lifeP50Seconds).toBe(5)
    expect(found).toMatchObject({ topQuantity: 2, topProfit: 4, sweepQuantity: 2, sweepProfit: 4 })
  })

  it('answers without an error for a recording of one venue', async () => {
    const found = await replayBooks(file([snapshot(1, 'EX1', 1, 2)]), { feeBps: 0 })
    expect(found).toMatchObject({ snapshots: 1, bothKnown: 0, maxEdgeBps: null, lifeP50Seconds: null })
  })

  it('refuses what is not a recording, naming the line', async () => {
    await expect(replayBooks(file([{ hello: 1 }]), { feeBps: 0 })).rejects.toMatchObject({
      code: 'RECORDING_INVALID',
    })
    await expect(replayBooks(join(folder, 'none'), { feeBps: 0 })).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
    })
  })

  it('takes percentiles at sorted[floor(n × q)]', () => {
    expect(percentile([], 0.5)).toBeNull()
    expect(percentile([3, 1, 2], 0.5)).toBe(2)
    expect(percentile([4, 3, 1, 2], 0.5)).toBe(3)
    expect(percentile([1, 2], 1)).toBe(2)
  })
})
