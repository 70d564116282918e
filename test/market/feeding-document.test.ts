import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type OpenBus, openBus } from '../../src/bus/index.ts'
import { marketQuotes, rejectedInput } from '../../src/catalog/index.ts'
import { readConfig, runTasks, systemClock } from '../../src/kernel/index.ts'
import { bridgeTasks, marketEmitter, REJECT_REASONS } from '../../src/market/index.ts'
import { openVenues } from '../../src/venues/index.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'

const document = readFileSync(join(import.meta.dirname, '../../docs/FEEDING.md'), 'utf8')
const examples = [...document.matchAll(/^redis-cli .*(?:PUBLISH|XADD) .*$/gm)].map(([line]) => line)

let server: TestRedis
let bus: OpenBus
beforeAll(async () => {
  server = await startRedis()
  bus = openBus({ url: server.url, clock: systemClock })
})
afterAll(async () => {
  await bus.close()
  await server.stop()
})

describe('docs/FEEDING.md', () => {
  it('explains exactly the reasons that exist', () => {
    const tables = document.slice(
      document.indexOf('## What is wrong'),
      document.indexOf('The detector refuses'),
    )
    const rows = [...tables.matchAll(/^\| `(\w+)` \| (.+) \|$/gm)].map(([, reason, about]) => [reason, about])
    expect(Object.fromEntries(rows)).toEqual(REJECT_REASONS)
  })

  it('has examples that work as they are pasted, with the venues that exist without any file', async () => {
    const config = readConfig({})
    const stopping = new AbortController()
    let done = Promise.resolve()
    await new Promise<void>((onListening) => {
      const venues = openVenues(config)
      const options = { bus, venues, config, clock: systemClock, events: marketEmitter(), onListening }
      done = runTasks(bridgeTasks(options), stopping.signal)
    })
    expect(examples).toHaveLength(7)
    const env = { ...process.env, REDIS_PORT: String(server.port) }
    for (const line of examples) execFileSync('sh', ['-c', line], { env })
    const seen = await eventually(async () => {
      const partitions = Array.from({ length: marketQuotes.partitions }, (_, i) => i)
      const entries = await Promise.all(partitions.map((i) => bus.readBack(marketQuotes, i, '0-0', 100)))
      // The batch is two boards.
      return entries.flat().length === examples.length + 1 ? entries.flat() : undefined
    })
    expect(new Set(seen.map(({ data }) => data.venue))).toEqual(new Set(['demo-a', 'demo-b']))
    expect(await bus.readBack(rejectedInput, 0, '0-0', 10)).toEqual([])
    stopping.abort()
    await done
  })
})
