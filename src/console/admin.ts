// /admin/history/*: what is kept of ticks and how its keeping goes, for everyone who may look; the files of days
// compressed, verified and restored by whoever has the token.
import type { FastifyInstance, RouteShorthandOptions } from 'fastify'
import { z } from 'zod'
import { marketQuotes } from '../catalog/index.ts'
import type { Clock } from '../kernel/index.ts'
import type { HistoryFiles } from './answers.ts'
import { ANSWER_WITHIN_MS, type Asked, shared, within } from './ask.ts'
import type { Post } from './changes.ts'

const KEPT_MS = 10_000
const TICK_GROUP = /^ticks-/
const TICK_COUNTER = /^sluice_ticks_/

const nothing = z.strictObject({})
const oneDay = z.strictObject({ day: z.string().regex(/^\d{4}-\d{2}-\d{2}$/, 'YYYY-MM-DD, UTC') })

interface AdminOptions {
  readonly clock: Clock
  readonly asked: Asked
  readonly post: Post
  readonly throttle: RouteShorthandOptions
}

export function admin(server: FastifyInstance, by: HistoryFiles, options: AdminOptions): void {
  const { clock, asked, post, throttle } = options
  const list = shared(clock, KEPT_MS, async () => ({ at: clock.monotonic(), days: await by.list() }))
  server.get('/admin/history/stats', throttle, async () => {
    const { at, days } = await within(clock, ANSWER_WITHIN_MS, 'The files of ticks', list)
    const sum = (what: 'ticks' | 'bytes') => days.reduce((total, day) => total + day[what], 0)
    const ageMs = Math.round(clock.monotonic() - at)
    return { ...(await by.about()), ticks: sum('ticks'), bytes: sum('bytes'), days, ageMs }
  })
  server.get('/admin/history/monitoring', throttle, async () => {
    const [streams, workers] = await Promise.all([asked.summaries(), asked.workers()])
    const quotes = streams.find(({ stream }) => stream === marketQuotes.name)
    const counters: Record<string, number> = {}
    for (const [name, , value] of workers.flatMap((worker) => worker.counters)) {
      if (TICK_COUNTER.test(name)) counters[name] = (counters[name] ?? 0) + value
    }
    return {
      ...(await by.about()),
      groups: quotes?.groups.filter(({ group }) => TICK_GROUP.test(group)) ?? [],
      workers: workers.filter(({ name }) => name === 'ticks').length,
      counters,
    }
  })
  post({ path: '/admin/history/rotate', body: nothing, change: () => by.rotate() })
  for (const verb of ['compress', 'verify', 'restore'] as const) {
    post({ path: `/admin/history/${verb}`, body: oneDay, change: ({ day }) => by[verb](day) })
  }
}
