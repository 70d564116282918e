import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Entry, type OpenBus, openBus, type Stream } from '../../src/bus/index.ts'
import {
  type FundingEvent,
  marketFunding,
  marketQuotes,
  type QuoteMessage,
  rejectedInput,
} from '../../src/catalog/index.ts'
import { readConfig, runTasks, systemClock } from '../../src/kernel/index.ts'
import { bridgeTasks, marketEmitter, REJECT_REASONS } from '../../src/market/index.ts'
import { openVenues } from '../../src/venues/index.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'

const root = join(import.meta.dirname, '../..')
const document = readFileSync(join(root, 'docs/FEEDING.md'), 'utf8')
const lines = [...document.matchAll(/^redis-cli .*(?:PUBLISH|XADD) .*$/gm)].map(([line]) => line)
const [funding, examples] = [true, false].map((is) =>
  lines.filter((line) => line.includes('funding:') === is),
) as [string[], string[]]

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
    expect(examples).toHaveLength(7)
    const env = { ...process.env, REDIS_PORT: String(server.port) }
    const seen = await quotesOf(() => {
      for (const line of examples) execFileSync('sh', ['-c', line], { env })
      // The batch is two boards.
      return examples.length + 1
    })
    expect(new Set(seen.map(({ data }) => data.venue))).toEqual(new Set(['demo-a', 'demo-b']))
    expect(await bus.readBack(rejectedInput, 0, '0-0', 10)).toEqual([])
  })

  it('has a funding rate and a context that work as they are pasted', async () => {
    expect(funding).toHaveLength(2)
    const env = { ...process.env, REDIS_PORT: String(server.port) }
    const seen = await liftedBy<FundingEvent>(marketFunding, () => {
      for (const line of funding) execFileSync('sh', ['-c', line], { env })
      return 2
    })
    expect(seen.map(({ data }) => data.type).sort()).toEqual(['context', 'funding'])
    // What cannot be read would be null.
    const context = seen.find(({ data }) => data.type === 'context')!.data
    expect(Object.values(context)).not.toContain(null)
    expect(await bus.readBack(rejectedInput, 0, '0-0', 10)).toEqual([])
  })
})

describe('README.md', () => {
  it('feeds two quotes that cross, as they are pasted in the folder of a running system', async () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8')
    const block = readme.split('## Feed it')[1]!.split('```sh\n')[1]!.split('```')[0]!
    const folder = mkdtempSync(join(tmpdir(), 'sluice-readme-'))
    mkdirSync(join(folder, 'data'))
    writeFileSync(join(folder, 'data/running.json'), JSON.stringify({ pid: 1, redisUrl: server.url }))
    mkdirSync(join(folder, 'bin'))
    symlinkSync(join(root, 'bin/sluice'), join(folder, 'bin/sluice'))
    const env = { ...process.env, REDIS_URL: server.url, DATA_DIR: join(folder, 'data') }
    try {
      const seen = await quotesOf(() => {
        execFileSync('sh', ['-ec', block], { cwd: folder, env })
        return 2
      })
      const [buy, sell] = ['demo-a', 'demo-b'].map((venue) => seen.find(({ data }) => data.venue === venue))
      const [ask] = buy!.data.quotes[0]!.asks[0]!
      const [bid] = sell!.data.quotes[0]!.bids[0]!
      expect(bid).toBeGreaterThan(ask * 1.001)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

const quotesOf = (feed: () => number) => liftedBy<QuoteMessage>(marketQuotes, feed)

/** What a bridge lifts into a stream while `feed` runs; it says how many entries that are. */
async function liftedBy<T>(stream: Stream<T>, feed: () => number): Promise<Entry<T>[]> {
  const kept = async () => {
    const partitions = Array.from({ length: stream.partitions }, (_, i) => i)
    const entries = await Promise.all(partitions.map((i) => bus.readBack(stream, i, '0-0', 100)))
    return entries.flat()
  }
  const before = new Set((await kept()).map(({ id }) => id))
  const stopping = new AbortController()
  let done = Promise.resolve()
  await new Promise<void>((onListening) => {
    const config = readConfig({})
    const venues = openVenues(config)
    const options = { bus, venues, config, clock: systemClock, events: marketEmitter(), onListening }
    done = runTasks(bridgeTasks(options), stopping.signal)
  })
  try {
    const count = feed()
    return await eventually(async () => {
      const fresh = (await kept()).filter(({ id }) => !before.has(id))
      return fresh.length === count ? fresh : undefined
    })
  } finally {
    stopping.abort()
    await done
  }
}
