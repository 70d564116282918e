// GET /metrics: the streams as the bus sees them, every worker as it reports itself, the books, and this process.
// The registry is built for each scrape: a worker that is gone leaves no series behind.
import type { FastifyInstance } from 'fastify'
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { StreamStatus } from '../bus/index.ts'
import type { WorkerReport } from '../catalog/index.ts'
import type { Questions } from './answers.ts'
import type { Asked } from './ask.ts'
import { COUNTERS, GAUGES } from './counters.ts'
import { groupsOf } from './summary.ts'

export function metrics(server: FastifyInstance, questions: Questions, asked: Asked): void {
  const own = new Registry()
  collectDefaultMetrics({ register: own })
  server.get('/metrics', async (_request, reply) => {
    const scraped = await scrape(asked)
    const text = `${await own.metrics()}\n${await scraped.metrics()}`
    return reply.type(Registry.PROMETHEUS_CONTENT_TYPE).send(text)
  })
  // What it is that answers, as Prometheus likes it: a constant 1.
  gauge(own, 'sluice_info', 'What this console shows.', ['version', 'feed', 'database']).set(
    { version: questions.about.version, feed: questions.about.feed, database: questions.about.database },
    1,
  )
}

async function scrape(asked: Asked): Promise<Registry> {
  const registry = new Registry()
  const up = gauge(registry, 'sluice_up', 'Whether this part answered the scrape.', ['part'])
  const parts: Record<string, () => Promise<void>> = {
    streams: async () => streamMetrics(registry, await asked.streams()),
    workers: async () => workerMetrics(registry, await asked.workers()),
    books: async () => bookMetrics(registry, await asked.status()),
  }
  await Promise.all(
    Object.entries(parts).map(async ([part, collect]) => {
      try {
        await collect()
        up.set({ part }, 1)
      } catch {
        // The metric itself says it: an alert watches `sluice_up`, and the reason is in /health.
        up.set({ part }, 0)
      }
    }),
  )
  return registry
}

const gauge = <T extends string>(registry: Registry, name: string, help: string, labelNames: readonly T[]) =>
  new Gauge({ name, help, labelNames, registers: [registry] })

const counter = <T extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly T[],
) => new Counter({ name, help, labelNames, registers: [registry] })

function streamMetrics(registry: Registry, streams: readonly StreamStatus[]): void {
  const of = ['stream'] as const
  const by = ['stream', 'group'] as const
  const length = gauge(registry, 'sluice_stream_entries', 'Entries kept.', of)
  const published = counter(registry, 'sluice_stream_published_total', 'Entries ever published.', of)
  const dead = gauge(registry, 'sluice_stream_dead_letters', 'Entries that no attempt could handle.', of)
  const lag = gauge(registry, 'sluice_group_lag_entries', 'Published and not acknowledged.', by)
  const pending = gauge(registry, 'sluice_group_pending_entries', 'Delivered and not acknowledged.', by)
  const oldest = gauge(registry, 'sluice_group_oldest_seconds', 'Age of the oldest unacknowledged entry.', by)
  const members = gauge(registry, 'sluice_group_members', 'Living members.', by)
  for (const status of streams) {
    const { stream } = status
    for (const partition of status.partitions) {
      length.inc({ stream }, partition.length)
      published.inc({ stream }, partition.lastSequence)
    }
    dead.set({ stream }, status.deadLetters)
    for (const sum of groupsOf(status)) {
      const labels = { stream, group: sum.group }
      lag.set(labels, sum.lag)
      pending.set(labels, sum.pending)
      oldest.set(labels, sum.oldestMs / 1_000)
      members.set(labels, sum.members)
    }
  }
}

function workerMetrics(registry: Registry, workers: readonly WorkerReport[]): void {
  const of = ['worker', 'process'] as const
  const memory = gauge(registry, 'sluice_worker_resident_memory_bytes', 'Resident memory.', of)
  const heap = gauge(registry, 'sluice_worker_heap_bytes', 'Used heap.', of)
  const uptime = gauge(registry, 'sluice_worker_uptime_seconds', 'Time since the start.', of)
  const delay = gauge(
    registry,
    'sluice_worker_loop_delay_p99_seconds',
    'Delay of the event loop, 99th percentile of the last report.',
    of,
  )
  const troubles = gauge(
    registry,
    'sluice_worker_trouble_seconds',
    'How long a worker has not been able to store something.',
    [...of, 'what'],
  )
  const counters = new Map<string, Counter | Gauge>()
  for (const worker of workers) {
    const { id, name, rssBytes, heapBytes, uptimeMs, loopDelayP99Ms, counters: samples } = worker
    const labels = { worker: name, process: id }
    for (const { what, forMs } of worker.troubles) troubles.set({ ...labels, what }, forMs / 1_000)
    memory.set(labels, rssBytes)
    heap.set(labels, heapBytes)
    uptime.set(labels, uptimeMs / 1_000)
    delay.set(labels, loopDelayP99Ms / 1_000)
    for (const [metric, own, value] of samples) {
      // A worker of another release may report what this one does not know.
      const level: string | undefined = GAUGES[metric as keyof typeof GAUGES]
      const help = level ?? COUNTERS[metric as keyof typeof COUNTERS]
      if (help === undefined) continue
      let known = counters.get(metric)
      if (!known) {
        const make = level === undefined ? counter : gauge
        known = make(registry, metric, help, [...of, ...Object.keys(own)])
        counters.set(metric, known)
      }
      known.inc({ ...labels, ...own }, value)
    }
  }
}

function bookMetrics(registry: Registry, status: Awaited<ReturnType<Asked['status']>>): void {
  const count = (name: string, help: string, value: number) => counter(registry, name, help, []).inc(value)
  count('sluice_opportunities_total', 'Opportunities seen.', status.opportunities)
  count('sluice_executions_total', 'Opportunities executed.', status.executed)
  count('sluice_executions_refused_total', 'Opportunities refused.', status.refused)
  count('sluice_fills_total', 'Fills booked.', status.fills)
  count('sluice_trades_total', 'Trades booked.', status.trades)
  gauge(registry, 'sluice_opportunities_open', 'Opportunities that live now.', []).set(status.open)
  const profit = gauge(
    registry,
    'sluice_realized_profit',
    'Realised profit after fees. A float: the exact decimal is in /api/status.',
    ['currency'],
  )
  for (const [currency, amount] of Object.entries(status.profit)) profit.set({ currency }, Number(amount))
}
