// Three questions that orchestrators and people ask: is the process up, can it serve, and what is wrong.
import type { FastifyInstance } from 'fastify'
import type { Trouble, WorkerReport } from '../catalog/index.ts'
import { type Clock, isoTime, messageOf } from '../kernel/index.ts'
import type { PartHealth, Questions, Readiness } from './answers.ts'
import { type Asked, within } from './ask.ts'
import { worstOf } from './summary.ts'

const CHECK_WITHIN_MS = 2_000
// A file that another process writes, or a database that starts anew, is nothing that somebody has to see to.
const TROUBLE_AFTER_MS = 5_000
const NAMED_MAX = 3

export function health(server: FastifyInstance, questions: Questions, asked: Asked, clock: Clock): void {
  const ready = () => readiness(questions, clock)
  server.get('/live', async () => ({ live: true }))
  server.get('/ready', async (_request, reply) => {
    const parts = await ready()
    const isReady = Object.values(parts).every((part: PartHealth) => part.ok)
    return reply.status(isReady ? 200 : 503).send({ ready: isReady, parts })
  })
  server.get('/health', async (_request, reply) => {
    const [parts, streams, workers, stores] = await Promise.all([
      ready(),
      part(async () => streamsHealth(await asked.streams())),
      part(async () => {
        const count = (await asked.workers()).length
        return { ok: count > 0, detail: count > 0 ? `${count} running` : 'no worker has reported' }
      }),
      part(async () => storesHealth(await asked.workers())),
    ])
    const isReady = Object.values(parts).every((one: PartHealth) => one.ok)
    const status = !isReady ? 'down' : streams.ok && workers.ok && stores.ok ? 'ok' : 'degraded'
    const { about } = questions
    return reply
      .status(isReady ? 200 : 503)
      .send({ status, ...about, time: clock.now(), parts: { ...parts, streams, workers, stores } })
  })
}

async function readiness(questions: Questions, clock: Clock): Promise<Readiness> {
  try {
    return await within(clock, CHECK_WITHIN_MS, 'The check', questions.ready)
  } catch (error) {
    const unknown = { ok: false, detail: messageOf(error) }
    return { redis: unknown, database: unknown, migrations: unknown }
  }
}

async function part(look: () => Promise<PartHealth>): Promise<PartHealth> {
  try {
    return await look()
  } catch (error) {
    return { ok: false, detail: messageOf(error) }
  }
}

function streamsHealth(streams: Parameters<typeof worstOf>[0]): PartHealth {
  const { lag, oldestMs, deadLetters } = worstOf(streams)
  const detail = `lag ${lag}, oldest ${Math.round(oldestMs)} ms, dead letters ${deadLetters}`
  return { ok: deadLetters === 0, detail }
}

/** Whether what the workers keep can be stored: who cannot, what, since when and why. */
function storesHealth(workers: readonly WorkerReport[]): PartHealth {
  const troubles = workers.flatMap(({ name, id, troubles }) =>
    troubles.filter(({ forMs }) => forMs >= TROUBLE_AFTER_MS).map((trouble) => textOf(name, id, trouble)),
  )
  if (troubles.length === 0) return { ok: true, detail: 'everything is stored' }
  const more = troubles.length > NAMED_MAX ? `; and ${troubles.length - NAMED_MAX} more: /api/workers` : ''
  return { ok: false, detail: troubles.slice(0, NAMED_MAX).join('; ') + more }
}

const textOf = (name: string, id: string, { what, since, forMs, reason }: Trouble) =>
  `${name} ${id} cannot store ${what} since ${isoTime(since)} (${Math.round(forMs / 1_000)} s): ${reason.replace(/\.$/, '')}`
