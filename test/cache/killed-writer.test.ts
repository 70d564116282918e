// A writer is killed between its commit and the drop: another process tells of the change for it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { readConfig } from '../../src/kernel/index.ts'
import { openPlatform, type Platform } from '../../src/platform.ts'
import { openSources } from '../../src/sources.ts'
import { drivers, openTestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis } from '../support/redis.ts'

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function start(driver: (typeof drivers)[number]) {
  const redis = await startRedis()
  closers.push(() => redis.stop())
  const test = await openTestDatabase(driver)
  closers.push(() => test.close())
  const env = { ...test.environment, REDIS_URL: redis.url, LOG_LEVEL: 'silent' }
  const open = (name: string): Platform => {
    const platform = openPlatform(readConfig(env), { name })
    closers.push(() => platform.close())
    return platform
  }
  return { env, database: test.database, open }
}

describe.each(drivers)('a writer on %s that is killed after its commit', (driver) => {
  it('leaves its drop to the sweep of whoever lives', async () => {
    const { env, database, open } = await start(driver)
    const { views } = open('reader')
    const { totals } = openSources(database)
    // It ends by the drop and not by itself.
    const view = { ...totals.view, lifetimeMs: 3_600_000 }
    const fills = async () => (await views.get(view, [], (signal) => totals.load([], signal))).fills
    // From memory: what is asked while drops are not heard yet proves nothing.
    await eventually(async () => {
      const { memoryHits } = views.stats()
      return (await fills()) === 0 && views.stats().memoryHits > memoryHits
    })
    const child = spawn(process.execPath, [`${import.meta.dirname}/killed-writer.ts`], {
      env: { PATH: process.env['PATH'] ?? '', ...env },
      stdio: 'inherit',
    })
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
    // It is booked, nobody has told of it, and so the old answer is given.
    expect((await totals.load([], new AbortController().signal)).fills).toBe(1)
    expect(await fills()).toBe(0)

    const stop = new AbortController()
    const swept = open('another').relay.task(stop.signal)
    await eventually(async () => (await fills()) === 1)
    stop.abort()
    await swept
  })
})
