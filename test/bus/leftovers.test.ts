// What a consumer leaves behind on a bus that lives on. A timer or a listener that stays keeps all that belongs to it.
import { getEventListeners } from 'node:events'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { type NotingBus, type NumberStream, numberStream, numbers, openNotingBus, start } from './rig.ts'

// No other timer has this length.
const TIMEOUT_MS = 54_321

let redis: TestRedis
let bus: NotingBus

beforeAll(async () => {
  redis = await startRedis()
  bus = openNotingBus(redis.url)
})
afterEach(() => vi.restoreAllMocks())
afterAll(async () => {
  await bus.close()
  await redis.stop()
})

/** Notes the timers of handlers that are neither fired nor cancelled, and every signal that follows others. */
function watch() {
  const timers = new Set<unknown>()
  const followers: AbortSignal[] = []
  const [setTimer, clearTimer, follow] = [setTimeout, clearTimeout, AbortSignal.any]
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(((fire: () => void, ms: number) => {
    const timer = setTimer(() => {
      timers.delete(timer)
      fire()
    }, ms)
    if (ms === TIMEOUT_MS) timers.add(timer)
    return timer
  }) as typeof setTimeout)
  vi.spyOn(globalThis, 'clearTimeout').mockImplementation((timer) => {
    timers.delete(timer)
    clearTimer(timer)
  })
  vi.spyOn(AbortSignal, 'any').mockImplementation((signals) => {
    const follower = follow.call(AbortSignal, signals)
    followers.push(follower)
    return follower
  })
  return {
    timers: () => timers.size,
    followers,
    listeners: () => followers.flatMap((follower) => getEventListeners(follower, 'abort')).length,
  }
}

const tasks = {
  key: (stream: NumberStream, seen: () => void) => consume(stream, 'key', seen),
  none: (stream: NumberStream, seen: () => void) => consume(stream, 'none', seen),
  fold: (stream: NumberStream, seen: () => void) =>
    bus.fold({
      ...{ stream, group: 'g', start: () => 0, save: String, load: Number },
      apply() {
        seen()
        return { events: [] }
      },
    }),
  listen: (_stream: NumberStream, seen: () => void) => bus.listen(['nothing:*'], () => {}, seen),
}

const consume = (stream: NumberStream, order: 'key' | 'none', seen: () => void) =>
  bus.consume({
    ...{ stream, group: 'g', order, timeoutMs: TIMEOUT_MS },
    handle: async (_entry, { signal }) => {
      if (!signal.aborted) seen()
    },
  })

it.each(Object.entries(tasks))('%s: who has ended leaves no timer and no listener', async (_name, task) => {
  const stream = numberStream()
  await bus.publish(numbers(stream, 4, 1))
  const left = watch()
  const seen = Promise.withResolvers<void>()
  const running = start(task(stream, seen.resolve))
  await seen.promise
  expect(left.followers.length).toBeGreaterThan(0)
  await running.stop()
  expect({ timers: left.timers(), listeners: left.listeners() }).toEqual({ timers: 0, listeners: 0 })
})
