import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { seededRandom } from '../../src/venues/simulation/random.ts'
import { plain } from '../conformance/venue.ts'
import { drivers, openTestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { openPaperRig, quoteOf, SYMBOL, tell } from './paper-rig.ts'

const SCRIPT = join(import.meta.dirname, 'place-orders.ts')
const ORDERS = 150
const KILLS = 3
const SEED = Number(process.env['SEED'] ?? 20_261_120)

let redis: TestRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

describe('placing on paper from processes that are killed', () => {
  for (const driver of drivers) {
    it(`gives each order one outcome, and every answer that was heard is it (${driver}, SEED=${SEED})`, async () => {
      const place = await openTestDatabase(driver)
      const rig = openPaperRig(redis.url, place)
      const folder = mkdtempSync(join(tmpdir(), 'sluice-paper-'))
      const random = seededRandom(SEED)
      try {
        const book = {
          bids: [[99, 9] as [number, number]],
          asks: [[100, 1] as [number, number], [101, 9] as [number, number]],
        }
        const decidedOn = await tell(rig.bus, { quotes: [quoteOf(book, 1_000)] }, 1_000)
        await tell(rig.bus, {}, 9_000)
        const orders = Array.from({ length: ORDERS }, (_, i) => {
          const quantity = String(1 + (i % 5))
          return { clientOrderId: `k${i}`, symbol: SYMBOL, side: 'buy', quantity, time: 1_000, decidedOn }
        })
        const file = join(folder, 'orders.json')
        writeFileSync(file, JSON.stringify(orders))
        const { clock: _, ...options } = place.options
        const start = () => startChild([redis.url, JSON.stringify(options), file])
        const heard: string[] = []
        // Two at a time race for the same ids; each round kills both at a random answer.
        for (let round = 0; round < KILLS; round += 1) {
          const children = [start(), start()]
          const killAt = Math.floor(random.uniform() * ORDERS * 0.8) + 1
          await eventually(() => children.some((child) => child.lines.length >= killAt), {
            timeoutMs: 30_000,
          })
          for (const { process: child } of children) child.kill('SIGKILL')
          await Promise.all(children.map((child) => child.ended))
          heard.push(...children.flatMap((child) => child.lines))
        }
        const last = start()
        expect(await last.ended).toBe(0)
        heard.push(...last.lines)
        expect(last.lines).toHaveLength(ORDERS)

        const rows = await place.database.read(async ({ sql, t }) => sql.select().from(t.venueOrders))
        expect(rows).toHaveLength(ORDERS)
        const venue = rig.open()
        for (const line of heard) {
          const { id, result } = JSON.parse(line)
          expect(result).toEqual(plain(await venue.find(id, new AbortController().signal)))
        }
        expect(heard.length).toBeGreaterThan(ORDERS)
      } finally {
        rmSync(folder, { recursive: true, force: true })
        await rig.close()
      }
    })
  }
})

interface Child {
  readonly process: ChildProcess
  /** Complete lines only: half an answer was not heard. */
  readonly lines: string[]
  readonly ended: Promise<number | null>
}

function startChild(args: readonly string[]): Child {
  const child = spawn(process.execPath, [SCRIPT, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: string[] = []
  let rest = ''
  child.stdout.on('data', (chunk) => {
    const parts = (rest + String(chunk)).split('\n')
    rest = parts.pop() ?? ''
    lines.push(...parts)
  })
  return { process: child, lines, ended: new Promise((resolve) => child.once('close', resolve)) }
}
