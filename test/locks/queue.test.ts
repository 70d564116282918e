// Who waits for a lock gets it in order of arrival: over processes and servers, and also when waiters die in the
// queue, messages are lost, or servers disagree about the order.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { lockNames } from '../../src/catalog/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { type Locks, openLocks } from '../../src/locks/index.ts'
import { closeRedis, connectRedis, type Redis, ready } from '../../src/redis/index.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { forkWaiter, type Turn, type Waiter } from './waiter-process.ts'

// A busy machine must not make a living waiter lose its turn where the order is what is tested.
const CALM_MS = 60_000

let servers: TestRedis[]
let clients: Redis[]
let store: TestDatabase
let opened: Locks[] = []
let children: Waiter[] = []

beforeAll(async () => {
  servers = await Promise.all([startRedis(), startRedis(), startRedis()])
  clients = servers.map(({ url }) => connectRedis(url, 'writer'))
  await Promise.all(clients.map((client) => ready(client)))
  store = await openTestDatabase('sqlite')
})
afterEach(async () => {
  for (const server of servers) server.resume()
  await Promise.all(children.map((child) => child.end()))
  await Promise.all(opened.map((locks) => locks.close()))
  opened = []
  children = []
})
afterAll(async () => {
  await Promise.all(clients.map(closeRedis))
  await store.close()
  await Promise.all(servers.map((server) => server.stop()))
})

const urlsOf = (count: number) => servers.slice(0, count).map(({ url }) => url)
const queueOf = (resource: string) => `${lockNames.key(resource)}:queue`

function open(count = 1, patienceMs = CALM_MS): Locks {
  const { database } = store
  const locks = openLocks({ urls: urlsOf(count), database, clock: systemClock, names: lockNames, patienceMs })
  opened.push(locks)
  return locks
}

async function startWaiter(count: number, patienceMs = CALM_MS): Promise<Waiter> {
  const waiter = await forkWaiter({
    LOCK_URLS: urlsOf(count).join(','),
    PATIENCE_MS: String(patienceMs),
    ...store.environment,
  })
  children.push(waiter)
  return waiter
}

/** Starts a `hold` and resolves when it stands in the queue. */
async function enqueue(
  locks: Locks,
  resource: string,
  work: (token: number) => void = () => {},
  signal?: AbortSignal,
) {
  const { promise, resolve } = Promise.withResolvers<void>()
  const look = (fact: { resource: string }) => fact.resource === resource && resolve()
  locks.events.on('waiting', look)
  const how = { waitMs: 60_000, ...(signal && { signal }) }
  const result = locks.hold(resource, async ({ token }) => work(token), how)
  await promise
  locks.events.off('waiting', look)
  return { result }
}

/** Names by the tokens that they worked under, which count up with the turns. */
const inOrder = (turns: readonly Turn[]) =>
  [...turns].sort((a, b) => a.token - b.token).map(({ name }) => name)

interface Meddling {
  readonly patienceMs?: number
  /** Between the last arrival and the release, and after the release. */
  readonly before?: (processes: readonly Waiter[]) => void
  readonly after?: (processes: readonly Waiter[]) => Promise<unknown>
}

/** Nine waiters in three processes, one after another. Answers who came and who worked, in their order. */
async function queueNine(count: number, resource: string, { patienceMs, before, after }: Meddling = {}) {
  const [holder, local] = [open(count, patienceMs), open(count, patienceMs)]
  const processes = await Promise.all([startWaiter(count, patienceMs), startWaiter(count, patienceMs)])
  const arrived: string[] = []
  const turns: Turn[] = []
  const results: Promise<unknown>[] = []
  await holder.hold(resource, async () => {
    for (let n = 0; n < 9; n++) {
      const name = `waiter ${n}`
      const take = (token: number) => void turns.push({ name, token })
      if (n % 3 < 2) await processes[n % 3]!.wait(resource, name)
      else results.push((await enqueue(local, resource, take)).result)
      arrived.push(name)
    }
    before?.(processes)
  })
  await after?.(processes)
  await Promise.all(results)
  const worked = () => [...turns, ...processes.flatMap((each) => each.turns())]
  await eventually(() => worked().length === 9, { what: 'nine turns' })
  return { arrived, worked: inOrder(worked()) }
}

describe('the order of arrival', () => {
  it.each([1, 3])('is kept over processes with %i server(s)', async (count) => {
    const { arrived, worked } = await queueNine(count, `fair:${count}`)
    expect(worked).toEqual(arrived)
  })

  it('is broken, and seen to be, by a process that stands still: it is passed over until it goes on', async () => {
    const { arrived, worked } = await queueNine(1, 'still', {
      patienceMs: 50,
      before: ([first]) => first!.send('SIGSTOP'),
      async after([first, second]) {
        await eventually(() => second!.turns().length > 0)
        expect(first!.turns()).toEqual([])
        first!.send('SIGCONT')
      },
    })
    expect(arrived[0]).toBe('waiter 0')
    expect(worked[0]).toBe('waiter 1')
    expect([...worked].sort()).toEqual(arrived)
  })

  it('lets nobody barge in who comes while others wait', async () => {
    const [holder, waiting, newcomer] = [open(), open(), open()]
    const order: string[] = []
    await newcomer.hold('warm', async () => 1)
    let first: Promise<unknown> = Promise.resolve()
    await holder.hold('barged', async () => {
      first = (await enqueue(waiting, 'barged', () => void order.push('who waited'))).result
      // The key is gone, but not to whoever asks next.
      await clients[0]!.del(lockNames.key('barged'))
      expect(await newcomer.hold('barged', async () => void order.push('newcomer'))).toMatchObject({
        held: false,
      })
    })
    await first
    expect(order).toEqual(['who waited'])
  })

  it('is agreed on again by servers that each put another in front', async () => {
    const [holder, one, two] = [open(3, 250), open(3, 250), open(3, 250)]
    const inside: string[] = []
    const waiting: Promise<unknown>[] = []
    await holder.hold('torn', async () => {
      waiting.push((await enqueue(one, 'torn', () => void inside.push('one'))).result)
      waiting.push((await enqueue(two, 'torn', () => void inside.push('two'))).result)
      const members = await clients[0]!.zrange(queueOf('torn'), '0', '-1')
      await clients[1]!.zadd(queueOf('torn'), '1', members[1]!)
      await clients[2]!.zrem(queueOf('torn'), members[0]!)
    })
    await Promise.all(waiting)
    expect(inside.sort()).toEqual(['one', 'two'])
  })
})

describe('a waiter', () => {
  it('that was killed is passed over', async () => {
    const [holder, next] = [open(), open()]
    const dead = await startWaiter(1)
    let result: Promise<unknown> = Promise.resolve()
    await holder.hold('killed', async () => {
      await dead.wait('killed', 'dead')
      result = (await enqueue(next, 'killed')).result
      await dead.end()
    })
    // Whose turn it is may keep the lock from others for CALM_MS; nobody listens any more, so it does not.
    expect(await result).toMatchObject({ held: true })
  })

  it('whose message was lost asks by itself', async () => {
    const [holder, next] = [open(), open()]
    let result: Promise<unknown> = Promise.resolve()
    await holder.hold('unheard', async () => {
      result = (await enqueue(next, 'unheard')).result
      // Freed by a hand that tells nobody.
      await clients[0]!.del(lockNames.key('unheard'))
      expect(await result).toMatchObject({ held: true })
    })
  })

  it('whose subscription breaks is told again on the next one', async () => {
    const [holder, next] = [open(), open()]
    for (let turn = 0; turn < 3; turn++) {
      let result: Promise<unknown> = Promise.resolve()
      await holder.hold('cut', async () => {
        result = (await enqueue(next, 'cut')).result
        await clients[0]!.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
      })
      expect(await result).toMatchObject({ held: true })
    }
  })

  it('that gives up leaves the queue at once, and whose turn it then is gets it', async () => {
    const [holder, one, two] = [open(), open(), open()]
    const stop = new AbortController()
    const order: string[] = []
    let second: Promise<unknown> = Promise.resolve()
    await holder.hold('left', async () => {
      const first = await enqueue(one, 'left', () => void order.push('gave up'), stop.signal)
      second = (await enqueue(two, 'left', () => void order.push('second'))).result
      stop.abort()
      expect(await first.result).toEqual({ held: false, reason: 'taken' })
      await eventually(async () => (await clients[0]!.zcard(queueOf('left'))) === 1)
    })
    await second
    expect(order).toEqual(['second'])
  })
})

describe('the servers', () => {
  it('run as few commands for a release with thirty waiters as with three', async () => {
    const calls = async () => {
      const stats = await clients[0]!.info('commandstats')
      const counts = [...stats.matchAll(/^cmdstat_(?:evalsha|eval|publish|subscribe):calls=(\d+)/gm)]
      return counts.reduce((sum, [, count]) => sum + Number(count), 0)
    }
    const callsPerTurn = async (waiters: number) => {
      const [holder, next] = [open(), open()]
      const marks: number[] = []
      let waiting: Promise<unknown>[] = []
      await holder.hold('crowd', async () => {
        const mark = async () => void marks.push(await calls())
        waiting = Array.from({ length: waiters }, () => next.hold('crowd', mark, { waitMs: 60_000 }))
        await eventually(async () => (await clients[0]!.zcard(queueOf('crowd'))) === waiters)
      })
      await Promise.all(waiting)
      return (marks.at(-1)! - marks[0]!) / (waiters - 1)
    }
    // Three to hand over; the rest is room for waiters that show meanwhile that they live.
    expect(await callsPerTurn(3)).toBeLessThan(10)
    expect(await callsPerTurn(30)).toBeLessThan(10)
  })

  it('keep nothing of a lock that is over, and nothing without an end while it lasts', async () => {
    const [holder, next] = [open(3), open(3)]
    const keysOf = async () => (await Promise.all(clients.map((client) => client.keys('lock:*')))).flat()
    await eventually(async () => (await keysOf()).length === 0, {
      what: 'the locks of the tests before gone',
    })
    let result: Promise<unknown> = Promise.resolve()
    await holder.hold('litter', async () => {
      result = (await enqueue(next, 'litter')).result
      for (const client of clients) {
        for (const key of await client.keys('lock:*')) expect(await client.pttl(key)).toBeGreaterThan(0)
      }
    })
    await result
    await eventually(async () => (await keysOf()).length === 0, { what: 'no key left' })
  })

  it('of which one is frozen hold up neither taking nor handing over', async () => {
    const [holder, next] = [open(3), open(3)]
    await holder.hold('warm', async () => 1)
    const order: string[] = []
    holder.events.on('disturbed', () => order.push('the frozen server is late'))
    servers[2]!.pause()
    // Again and again, because a busy machine may be slower than the time-out of a server.
    await eventually(async () => {
      order.length = 0
      let result: Promise<unknown> = Promise.resolve()
      await holder.hold('slow', async () => {
        result = (await enqueue(next, 'slow', () => void order.push('handed over'))).result
      })
      await result
      return order[0] === 'handed over'
    })
    await eventually(() => order.includes('the frozen server is late'))
    expect(order[0]).toBe('handed over')
  })
})
