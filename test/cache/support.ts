// A cache against a real Redis, and the same cache with one line of it broken on purpose.
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { defineView, openViews, type Views } from '../../src/cache/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { closeRedis, connectRedis, type Redis } from '../../src/redis/index.ts'
import { eventually } from '../support/eventually.ts'

export const CHANNEL = 'test:drops'

export const prices = defineView<[symbol: string], number>({
  name: 'prices',
  about: 'A number that the test changes.',
  shape: z.number(),
  parts: ['symbol'],
  lifetimeMs: 60_000,
})

export type OpenViews = typeof openViews

export interface Process {
  readonly views: Views
  /** The connection that hears drops. */
  readonly subscriber: () => Redis
  /** Resolves when memory is served. */
  readonly serving: () => Promise<unknown>
  readonly close: () => Promise<void>
}

/** A cache as one process has it: its own subscriber and its own connection to tell on. */
export function openProcess(
  url: string,
  options: { open?: OpenViews; maxEntries?: number; heartbeatMs?: number; proofMs?: number } = {},
): Process {
  const { open = openViews, ...more } = options
  const teller = connectRedis(url, 'jobs')
  let subscriber: Redis | undefined
  const views = open({
    connect: () => {
      subscriber = connectRedis(url, 'subscriber')
      return subscriber
    },
    channel: CHANNEL,
    tell: async (message) => void (await teller.publish(CHANNEL, message)),
    clock: systemClock,
    heartbeatMs: 50,
    proofMs: 500,
    ...more,
  })
  return {
    views,
    subscriber: () => subscriber!,
    serving: () =>
      eventually(
        async () => {
          await views.get(prices, ['wake'], async () => 0)
          return views.stats().serving
        },
        { what: 'serving from memory' },
      ),
    async close() {
      await views.close()
      await closeRedis(teller)
    },
  }
}

const CACHE = join(import.meta.dirname, '../../src/cache')

/** Loads a copy of src/cache in which `rule` is replaced by `fault`, to show that a test notices its absence. */
export async function plantFault(file: string, rule: string, fault: string) {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-fault-'))
  await cp(CACHE, folder, { recursive: true })
  for (const name of await readdir(folder)) {
    const path = join(folder, name)
    const source = await readFile(path, 'utf8')
    if (name === file && !source.includes(rule))
      throw new Error(`${file} has no line ${JSON.stringify(rule)}`)
    const broken = name === file ? source.replace(rule, fault) : source
    const rooted = broken
      .replaceAll("from '../", `from '${join(CACHE, '..')}/`)
      .replaceAll(/from '(zod|eventemitter3)'/g, (_, name) => `from '${import.meta.resolve(name)}'`)
    await writeFile(path, rooted)
  }
  const { openViews: open } = (await import(pathToFileURL(join(folder, 'index.ts')).href)) as {
    openViews: OpenViews
  }
  return { open, remove: () => rm(folder, { recursive: true, force: true }) }
}
