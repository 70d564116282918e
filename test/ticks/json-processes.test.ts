// The JSON store among processes: two that write, one that is killed, and one whose disk is full.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/kernel/index.ts'
import { openJsonTicks } from '../../src/ticks/json-ticks.ts'
import type { Tick, TickStore } from '../../src/ticks/tick.ts'
import { eventually } from '../support/eventually.ts'
import { all, demandTicks, written } from './conformance-place.ts'
import { NOON, tick } from './samples.ts'

let dir: string
let store: TickStore

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sluice-json-'))
  store = openJsonTicks({ dir, clock: systemClock })
})
afterEach(async () => {
  await store.close()
  rmSync(dir, { recursive: true })
})

interface Child {
  /** What it said last: how many ticks are acknowledged, or why it ended. */
  said(): string
  kill(): Promise<void>
  readonly ended: Promise<void>
}

function startWriter(more: {
  from?: number
  step?: number
  lists: number
  size: number
  blocks?: number
}): Child {
  const { from = NOON, step = 1, lists, size, blocks } = more
  const script = join(import.meta.dirname, 'json-child.ts')
  const limit = blocks === undefined ? '' : `ulimit -f ${blocks}; `
  const words = [process.execPath, script, dir, from, step, lists, size].map(String)
  const child = spawn('sh', ['-c', `${limit}exec "$@"`, 'sh', ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.on('data', (part) => {
    text += part
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  return {
    said: () => text.trimEnd().split('\n').at(-1)!,
    ended,
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

const ticksTo = (count: number): Tick[] => Array.from({ length: count }, (_, n) => tick({ time: NOON + n }))
const path = () => join(dir, 'EURUSD/2026-01-19.json')

describe('processes', () => {
  it('that write at the same time store everything once, side by side and in each other’s way', async () => {
    const [lists, size] = [30, 40]
    const writers = [
      startWriter({ step: 2, lists, size }),
      startWriter({ step: 2, lists, size }),
      startWriter({ step: 2, from: NOON + 1, lists, size }),
    ]
    await Promise.all(writers.map(({ ended }) => ended))
    expect(writers.map((one) => one.said())).toEqual(['1200', '1200', '1200'])
    demandTicks(await all(store), ticksTo(2_400))
    expect(JSON.parse(readFileSync(path(), 'utf8'))).toHaveLength(2_400)
  })

  it('that are killed lose nothing that they acknowledged and block nobody', async () => {
    for (let round = 1; round <= 3; round++) {
      const writer = startWriter({ lists: 100_000, size: 40 })
      await eventually(() => Number(writer.said()) >= round * 400)
      await writer.kill()
      const acknowledged = Number(writer.said())
      const found = await all(store)
      expect(found.length).toBeGreaterThanOrEqual(acknowledged)
      demandTicks(found, ticksTo(found.length))
      expect(await store.write(ticksTo(found.length + 1))).toEqual(written(1, found.length))
      expect(JSON.parse(readFileSync(path(), 'utf8'))).toHaveLength(found.length + 1)
    }
  })

  it('that find the disk full leave the file as it was and say so', async () => {
    const writer = startWriter({ lists: 100, size: 40, blocks: 100 })
    await writer.ended
    expect(writer.said()).toBe('DATABASE_UNAVAILABLE')
    const { size } = statSync(path())
    const found = await all(store)
    demandTicks(found, ticksTo(found.length))
    expect(found.length % 40).toBe(0)
    expect(JSON.parse(readFileSync(path(), 'utf8'))).toHaveLength(found.length)
    expect(size).toBeLessThan(51_200)
    expect(await store.write(ticksTo(400))).toEqual(written(400 - found.length, found.length))
  })
})
