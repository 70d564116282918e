// Which streams the trimming job leaves alone, and when.
import { describe, expect, it } from 'vitest'
import { marketQuotes, STREAMS } from '../../src/catalog/index.ts'
import type { Platform } from '../../src/platform.ts'
import { worker } from '../../workers/scheduler.ts'

type Handlers = Parameters<Platform['jobs']['run']>[0]

/** Names of the streams that one run trims while a group of the opportunities is `lag` entries behind. */
async function trimmed(MARKET_TIME: 'wall' | 'event', lag: number): Promise<string[]> {
  const names: string[] = []
  const bus = {
    trim: async ({ name }: { name: string }) => names.push(name),
    status: async () => ({ partitions: [{ groups: [{ lag: 0 }, { lag }] }] }),
  }
  let handlers: Handlers | undefined
  const run = (given: Handlers) => {
    handlers = given
    return async () => {}
  }
  worker.tasks({ bus, jobs: { run }, config: { MARKET_TIME, PROJECTIONS: '' } } as unknown as Platform)
  await handlers!.trim({ signal: new AbortController().signal, dueAt: 0 })
  return names
}

describe('the trimming job', () => {
  const all = STREAMS.map(({ name }) => name)

  it('trims every stream', async () => {
    expect(await trimmed('wall', 5)).toEqual(all)
    expect(await trimmed('event', 0)).toEqual(all)
  })

  it('keeps the quotes of a replay while its opportunities are not done', async () => {
    expect(await trimmed('event', 1)).toEqual(all.filter((name) => name !== marketQuotes.name))
  })
})
