// How long a message takes from publishing to its handler, at a thousand a second: the medians of bench/bus.ts, ms.
import { outgoing } from '../src/bus/index.ts'
import { payload, readGroup, type Stage } from './bus-stage.ts'
import { medianOf } from './rounds.ts'

const PACED_MESSAGES = 1_000

export async function latency(stage: Stage, order: 'key' | 'none'): Promise<number> {
  const { bus } = stage
  const stream = stage.stream(order === 'key' ? 8 : 1)
  const flight = openFlight()
  const stop = new AbortController()
  const ready = Promise.withResolvers<void>()
  const ended = bus.consume({
    ...{ stream, group: 'g', order },
    async handle({ data: { n } }) {
      if (n < 0) ready.resolve()
      else flight.landed(n)
    },
  })(stop.signal)
  await bus.publish([outgoing(stream, 'first', { ...payload(0), n: -1 })])
  await ready.promise
  await paced((n) => {
    flight.began(n)
    bus.publish([outgoing(stream, `event-${n}`, payload(n))]).catch(flight.failed)
  })
  const median = await flight.median()
  stop.abort()
  await ended
  await stage.empty()
  return median
}

export async function rawLatency(stage: Stage): Promise<number> {
  const { client, reader } = stage
  const key = stage.key()
  const flight = openFlight()
  await client.xgroup('CREATE', key, 'g', '0', 'MKSTREAM')
  const reading = (async () => {
    for (let seen = 0; seen < PACED_MESSAGES; ) {
      for (const [, entries] of await readGroup(reader, [key])) {
        for (const [, fields] of entries) flight.landed(JSON.parse(fields.at(-1)!).n)
        seen += entries.length
        client.xack(key, 'g', ...entries.map(([id]) => id)).catch(flight.failed)
      }
    }
  })()
  await paced((n) => {
    flight.began(n)
    client.xadd(key, '*', 'data', JSON.stringify(payload(n))).catch(flight.failed)
  })
  const median = await flight.median()
  await reading
  await stage.empty()
  return median
}

/** Calls `send` a thousand times a second. Timers are too coarse for it, so it looks at the clock in each turn. */
async function paced(send: (n: number) => void): Promise<void> {
  const began = performance.now()
  for (let n = 0; n < PACED_MESSAGES; ) {
    while (n < PACED_MESSAGES && performance.now() - began >= n) send(n++)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Messages under way. */
function openFlight() {
  const begun: number[] = []
  const took: number[] = []
  const all = Promise.withResolvers<void>()
  return {
    began(n: number) {
      begun[n] = performance.now()
    },
    landed(n: number) {
      took.push(performance.now() - begun[n]!)
      if (took.length === PACED_MESSAGES) all.resolve()
    },
    failed: (error: unknown) => all.reject(error),
    async median() {
      await all.promise
      return medianOf(took.sort((a, b) => a - b))
    },
  }
}
