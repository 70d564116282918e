// A cache against a real Redis, as one process has it.
import { z } from 'zod'
import { defineView, openViews, type Views, type ViewsOptions } from '../../src/cache/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { connectRedis, type Redis } from '../../src/redis/index.ts'
import { eventually } from '../support/eventually.ts'

/** In every process, dropped by key or by its tag. */
export const prices = defineView<[symbol: string], number>({
  name: 'prices',
  about: 'A number that the test changes.',
  shape: z.number(),
  parts: ['symbol'],
  lifetimeMs: 60_000,
  tags: () => ['prices'],
})

export type OpenViews = typeof openViews

export interface Process {
  readonly views: Views
  /** The connection that hears drops. */
  readonly subscriber: () => Redis
  readonly close: () => Promise<void>
}

let probes = 0

/** Resolves when an answer came through Redis, and memory is served. */
export const usesBoth = (views: Views) =>
  eventually(
    async () => {
      const { bypassed } = views.stats()
      await views.get(prices, [`probe${++probes}`], async () => 0)
      return views.stats().serving && views.stats().bypassed === bypassed
    },
    { what: 'both levels' },
  )

/**
 * A cache as one process has it. Where machine and tests are slow, an answer may take longer than a cache waits for one:
 * `hurried` ones give up after 50 ms as in production, the others wait.
 */
export function openProcess(
  url: string,
  options: Partial<ViewsOptions> & { open?: OpenViews; hurried?: boolean } = {},
): Process {
  const { open = openViews, hurried = false, ...more } = options
  let subscriber: Redis | undefined
  const views = open({
    connect(role) {
      const client = connectRedis(url, role === 'cache' && !hurried ? 'writer' : role)
      if (role === 'subscriber') subscriber = client
      return client
    },
    clock: systemClock,
    heartbeatMs: 50,
    proofMs: 2_000,
    loadMs: 30_000,
    leaseMs: 30_000,
    ...more,
  })
  return { views, subscriber: () => subscriber!, close: () => views.close() }
}
