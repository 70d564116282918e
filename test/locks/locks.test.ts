// Locks on real servers that are frozen with SIGSTOP and killed.
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { lockNames } from '../../src/catalog/index.ts'
import { isSluiceError, systemClock } from '../../src/kernel/index.ts'
import { type Locks, openLocks } from '../../src/locks/index.ts'
import { closeRedis, connectRedis, type Redis, ready } from '../../src/redis/index.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'

let servers: TestRedis[]
let store: TestDatabase
let client: Redis
let opened: Locks[] = []

beforeAll(async () => {
  servers = await Promise.all([startRedis(), startRedis(), startRedis()])
  store = await openTestDatabase('sqlite')
  client = connectRedis(servers[0]!.url, 'writer')
  await ready(client)
})
afterEach(async () => {
  for (const server of servers) server.resume()
  await Promise.all(opened.map((locks) => locks.close()))
  opened = []
})
afterAll(async () => {
  await closeRedis(client)
  await store.close()
  await Promise.all(servers.map((server) => server.stop()))
})

function open(count = 1): Locks {
  const urls = servers.slice(0, count).map((server) => server.url)
  const locks = openLocks({ urls, database: store.database, clock: systemClock, names: lockNames })
  opened.push(locks)
  return locks
}

const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))

describe('hold', () => {
  it('gives the value of the work, with tokens that count up', async () => {
    const locks = open()
    const first = await locks.hold('counting', async (held) => held.token)
    const second = await locks.hold('counting', async (held) => held.token)
    expect(first).toEqual({ held: true, value: 1 })
    expect(second).toEqual({ held: true, value: 2 })
  })

  it('answers taken as a value while another holds it, and runs no work', async () => {
    const [one, two] = [open(), open()]
    let worked = false
    await one.hold('taken', async () => {
      const rival = await two.hold('taken', async () => {
        worked = true
      })
      expect(rival).toEqual({ held: false, reason: 'taken' })
    })
    expect(worked).toBe(false)
  })

  it('throws what the work throws, after the release', async () => {
    const locks = open()
    await expect(locks.hold('failing', () => Promise.reject(new Error('inside')))).rejects.toThrow('inside')
    expect(await client.exists(lockNames.key('failing'))).toBe(0)
  })

  it('deletes only its own key', async () => {
    const locks = open()
    await locks.hold('replaced', async () => {
      await client.set(lockNames.key('replaced'), 'another')
    })
    expect(await client.get(lockNames.key('replaced'))).toBe('another')
  })

  it('keeps the lock by extension for many times its life', async () => {
    const [one, two] = [open(), open()]
    let extensions = 0
    one.events.on('extended', () => extensions++)
    await one.hold(
      'extended',
      async (held) => {
        await eventually(() => extensions >= 6, { what: 'six extensions of a third of the life each' })
        expect(held.signal.aborted).toBe(false)
        expect(held.remainingMs()).toBeGreaterThan(0)
        expect(await two.hold('extended', async () => 1)).toEqual({ held: false, reason: 'taken' })
      },
      { ttlMs: 300 },
    )
  })

  it('tells the work at once when the servers say that the key is gone', async () => {
    const locks = open()
    const reasons: string[] = []
    locks.events.on('lost', ({ reason }) => reasons.push(reason))
    await locks.hold(
      'robbed',
      async ({ signal, remainingMs }) => {
        await client.del(lockNames.key('robbed'))
        await untilAborted(signal)
        expect(remainingMs()).toBeGreaterThan(0)
        expect(isSluiceError(signal.reason, 'LOCK_LOST')).toBe(true)
      },
      { ttlMs: 3_000 },
    )
    expect(reasons).toEqual(['replaced'])
  })

  it('neither ends nor outlives its time when the wall clock jumps', async () => {
    const locks = open()
    let extensions = 0
    locks.events.on('extended', () => extensions++)
    // Date alone: timers and the monotonic clock go on.
    vi.useFakeTimers({ toFake: ['Date'] })
    try {
      for (const jumpMs of [3_600_000, -7_200_000]) {
        const result = await locks.hold(
          'jumping',
          async (held) => {
            vi.setSystemTime(Date.now() + jumpMs)
            extensions = 0
            await eventually(() => extensions >= 3, { what: `extensions after a jump of ${jumpMs} ms` })
            return held.remainingMs() > 0 && held.remainingMs() <= 300 && !held.signal.aborted
          },
          { ttlMs: 300 },
        )
        expect(result).toEqual({ held: true, value: true })
      }
    } finally {
      vi.useRealTimers()
    }
  })

  it('goes on by itself after the server was away', async () => {
    const own = await startRedis()
    const locks = openLocks({
      urls: [own.url],
      database: store.database,
      clock: systemClock,
      names: lockNames,
    })
    try {
      expect(await locks.hold('restarted', async () => 1)).toMatchObject({ held: true })
      await own.kill()
      expect(await locks.hold('restarted', async () => 1)).toEqual({ held: false, reason: 'unavailable' })
      await own.restart()
      await eventually(async () => (await locks.hold('restarted', async () => 1)).held)
    } finally {
      await locks.close()
      await own.stop()
    }
  })

  it('keeps, extends and releases a lock while Redis is full, and takes none', async () => {
    const [one, two] = [open(), open()]
    let extensions = 0
    one.events.on('extended', () => extensions++)
    await one.hold('warm', async () => 1)
    const work = async () => {
      await client.config('SET', 'maxmemory', '1')
      await eventually(() => extensions >= 2)
      expect(await two.hold('another', async () => 1)).toEqual({ held: false, reason: 'unavailable' })
    }
    try {
      expect(await one.hold('full', work, { ttlMs: 600 })).toMatchObject({ held: true })
      expect(await client.exists(lockNames.key('full'))).toBe(0)
    } finally {
      await client.config('SET', 'maxmemory', '0')
    }
  })

  it("aborts the work with the caller's signal", async () => {
    const locks = open()
    const caller = new AbortController()
    await locks.hold(
      'stopped',
      async ({ signal }) => {
        caller.abort(new Error('stop'))
        expect(signal.aborted).toBe(true)
      },
      { signal: caller.signal },
    )
  })
})

describe('a frozen Redis', () => {
  it('cannot hide the loss: the work is told at the deadline although no answer ever comes', async () => {
    const locks = open()
    const order: string[] = []
    locks.events.on('extended', () => order.push('extended'))
    locks.events.on('lost', ({ reason }) => order.push(`lost: ${reason}`))
    let answered = false
    const result = await locks.hold(
      'frozen',
      async ({ signal, remainingMs }) => {
        servers[0]!.pause()
        void client.ping().then(
          () => {
            answered = true
          },
          () => {},
        )
        await untilAborted(signal)
        order.push('work told')
        expect(remainingMs()).toBeLessThanOrEqual(0)
        expect(answered).toBe(false)
        return 'done'
      },
      { ttlMs: 900 },
    )
    // What the work had done stands or falls with its fence, so its value is not thrown away.
    expect(result).toEqual({ held: true, value: 'done' })
    expect(order.slice(-2)).toEqual(['lost: deadline', 'work told'])
  })

  it('is unavailable, not taken', async () => {
    const locks = open()
    await locks.hold('warm', async () => 1)
    servers[0]!.pause()
    expect(await locks.hold('unreachable', async () => 1)).toEqual({ held: false, reason: 'unavailable' })
  })

  it('that thaws too late hands out no lock that has expired meanwhile', async () => {
    const locks = open()
    await locks.hold('warm', async () => 1)
    servers[0]!.pause()
    const asked = locks.hold('expired', async () => 1, { ttlMs: 40 })
    // Longer than the lock would live, shorter than the server may take to answer.
    await systemClock.sleep(100)
    servers[0]!.resume()
    expect(await asked).toEqual({ held: false, reason: 'unavailable' })
    await eventually(async () => (await client.exists(lockNames.key('expired'))) === 0)
  })

  it('among three servers stops neither taking, nor extending, nor refusing', async () => {
    const [one, two] = [open(3), open(3)]
    await one.hold('warm', async () => 1)
    await two.hold('warm', async () => 1)
    servers[2]!.pause()
    let extensions = 0
    one.events.on('extended', () => extensions++)
    const result = await one.hold(
      'majority',
      async (held) => {
        await eventually(() => extensions >= 2, { what: 'two extensions by two of three servers' })
        expect(await two.hold('majority', async () => 1)).toEqual({ held: false, reason: 'taken' })
        return held.signal.aborted
      },
      { ttlMs: 1_500 },
    )
    expect(result).toEqual({ held: true, value: false })
  })

  it('as two of three makes the lock unavailable', async () => {
    const locks = open(3)
    await locks.hold('warm', async () => 1)
    servers[1]!.pause()
    servers[2]!.pause()
    expect(await locks.hold('minority', async () => 1)).toEqual({ held: false, reason: 'unavailable' })
  })
})

describe('waiting', () => {
  it('is ended by the message of the release', async () => {
    const [one, two] = [open(), open()]
    const order: string[] = []
    let waiting: Promise<unknown> = Promise.resolve()
    await one.hold('awaited', async () => {
      waiting = two.hold('awaited', async () => void order.push('second'), { waitMs: 20_000 })
      await eventually(() => client.exists(`${lockNames.key('awaited')}:queue`))
      order.push('first')
    })
    expect(await waiting).toEqual({ held: true, value: undefined })
    expect(order).toEqual(['first', 'second'])
  })

  it('ends when the lock expires without a message', async () => {
    const locks = open()
    await client.set(lockNames.key('expiring'), 'a holder that was killed', 'PX', 300)
    expect(await locks.hold('expiring', async () => 'mine', { waitMs: 20_000 })).toEqual({
      held: true,
      value: 'mine',
    })
  })

  it('ends with the signal', async () => {
    const locks = open()
    const stop = new AbortController()
    await client.set(lockNames.key('endless'), 'another', 'PX', 60_000)
    const waiting = locks.hold('endless', async () => 1, { waitMs: 60_000, signal: stop.signal })
    stop.abort()
    expect(await waiting).toEqual({ held: false, reason: 'taken' })
  })
})
