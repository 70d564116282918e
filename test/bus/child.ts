// A worker of its own process: consumes or folds until SIGTERM. Every effect is one RPUSH, so the list of effects is
// one order of what all processes did.
import { openBus, outgoing } from '../../src/bus/index.ts'
import { randomId, systemClock } from '../../src/kernel/index.ts'
import { closeRedis, connectRedis, ready } from '../../src/redis/index.ts'
import { type ChildOptions, type Numbered, numberStream } from './rig.ts'

const options = JSON.parse(process.argv[2]!) as ChildOptions
const { url, name, effects, mode, partitions } = options
const stream = numberStream({ name: options.stream, partitions })
const sums = numberStream({ name: `${options.stream}.sums`, partitions: 1 })
const bus = openBus({ url, clock: systemClock, leaseMs: 600, visibilityMs: 600 })
const redis = connectRedis(url, 'writer')
const controller = new AbortController()
process.once('SIGTERM', () => controller.abort())
// The parent ended without a word.
process.once('disconnect', () => process.exit(1))

await ready(redis)
bus.events.on('fenced', (fact) => process.send?.({ fenced: fact }))

const consume = bus.consume<Numbered>({
  stream,
  group: 'g',
  order: 'key',
  async handle({ data, attempt }, { ownership }) {
    await redis.rpush(effects, JSON.stringify({ name: `${name}@${ownership?.epoch}`, ...data, attempt }))
    if (mode === 'poisoned' && data.key === 'poison') process.kill(process.pid, 'SIGKILL')
  },
})

const fold = bus.fold<Numbered, Record<string, number>>({
  stream,
  group: 'f',
  start: () => ({}),
  apply(state, { id, data }) {
    const n = (state[data.key] ?? 0) + data.n
    state[data.key] = n
    const said = mode === 'fold' ? `sum:${id}` : randomId()
    return { events: [outgoing(sums, said, { key: data.key, n })] }
  },
  save: JSON.stringify,
  load: (saved) => JSON.parse(saved),
})

await (mode.startsWith('fold') ? fold : consume)(controller.signal)
await bus.close()
await closeRedis(redis)
process.disconnect?.()
