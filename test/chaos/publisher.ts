// A publisher of a chaos run, in a process of its own: publishes its share in order and repeats each batch until it is
// confirmed. Started again, it begins behind what is known to be confirmed.
import { openBus } from '../../src/bus/index.ts'
import { isSluiceError, randomId, systemClock, messageOf as textOf } from '../../src/kernel/index.ts'
import { eventOf, messageOf, publisherOf, streamsOf } from './plan.ts'
import type { PublisherOptions } from './processes.ts'

// A batch fits into an empty partition, whatever its keys are.
const BATCH_MAX = 100

const options = JSON.parse(process.argv[2]!) as PublisherOptions
const { url, plan, share, from, perSecond, replicas, fault } = options
const { input } = streamsOf(plan)
const bus = openBus({ url, clock: systemClock, replicas })
let stopping = false
process.once('SIGTERM', () => {
  stopping = true
})
// The coordinator ended without a word.
process.once('disconnect', () => process.exit(1))
process.on('error', () => process.exit(1))

const began = performance.now()
let published = 0
const batchMax = Math.min(BATCH_MAX, Math.floor(plan.maxEntries / 2))
for (let next = from; next < plan.messages && !stopping; ) {
  const batch: number[] = []
  const size = perSecond > 0 ? Math.max(1, Math.min(batchMax, Math.floor(perSecond / 20))) : batchMax
  for (; next < plan.messages && batch.length < size; next++) {
    if (publisherOf(plan, next) === share) batch.push(next)
  }
  await publishAll(batch)
  published += batch.length
  process.send!({ confirmed: next })
  if (perSecond > 0) {
    const dueMs = began + (published / perSecond) * 1_000 - performance.now()
    if (dueMs > 0) await systemClock.sleep(dueMs)
  }
}
process.send!({ finished: !stopping })
await bus.close()
process.disconnect?.()

async function publishAll(batch: readonly number[]): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    // The planted fault: what is sent again cannot be recognised.
    const idOf = (i: number) => (fault === 'resend without id' ? randomId() : `m${i}`)
    try {
      await bus.publish(batch.map((i) => eventOf(input, messageOf(plan, i), idOf(i))))
      return
    } catch (error) {
      if (!isSluiceError(error) || !/^(REDIS_UNAVAILABLE|OVERLOADED)$/.test(error.code)) {
        process.send!({ undocumented: textOf(error) })
      }
      process.send!({ repeated: attempt })
      await systemClock.sleep(20 + Math.random() * 60)
    }
  }
}
