// What the tests of the cache share: one server, processes that end with their test, and a truth that changes.
import { afterAll, afterEach, beforeAll } from 'vitest'
import { closeRedis, connectRedis, type Redis } from '../../src/redis/index.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { openProcess, usesBoth } from './support.ts'

/** A server for the tests of a file; what they leave in it is gone before the next. */
export function cacheRig() {
  let redis: TestRedis
  let admin: Redis
  const closers: (() => Promise<unknown>)[] = []
  beforeAll(async () => {
    redis = await startRedis()
    admin = connectRedis(redis.url, 'jobs')
  })
  afterEach(async () => {
    for (const close of closers.splice(0)) await close()
    await admin.flushall()
  })
  afterAll(async () => {
    await closeRedis(admin)
    await redis.stop()
  })
  return {
    redis: () => redis,
    admin: () => admin,
    /** A process that serves from memory. */
    async process(options: Parameters<typeof openProcess>[1] = {}) {
      const process = openProcess(redis.url, options)
      closers.push(process.close)
      await usesBoth(process.views)
      return process
    },
  }
}

/** A truth that changes, and a loader that counts how often it was asked. */
export function truth(value: number) {
  const state = { value, loads: 0 }
  return {
    state,
    load: async () => {
      state.loads++
      return state.value
    },
  }
}

/** What waits until it is opened. */
export function gate() {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { open: resolve, opened: promise }
}
