// What races, cuts and restarts do to a cache; and, for each rule that withstands them, that it is needed.
import { describe, expect, it } from 'vitest'
import { dropKey, dropTag } from '../../src/cache/index.ts'
import { closeRedis, connectRedis } from '../../src/redis/index.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis } from '../support/redis.ts'
import { type OpenViews, without } from './faults.ts'
import { cacheRig, gate, truth } from './rig.ts'
import { openProcess, prices, usesBoth } from './support.ts'

const rig = cacheRig()
// What one case has left in Redis is no answer to the next.
let symbols = 0
const another = (): [string] => [`S${++symbols}`]

describe('a load that races a drop', () => {
  /** Reads the old value, is overtaken by a change and its drop in another process, and ends after them. */
  async function race(drop: 'key' | 'tag', level: 'memory' | 'redis' | 'both', open?: OpenViews) {
    const [here, writer] = await Promise.all([rig.process(open ? { open } : {}), rig.process()])
    const { views } = here
    const view = { ...prices, level }
    const key = another()
    const { state, load } = truth(1)
    const { open: openGate, opened } = gate()
    const began = Promise.withResolvers<void>()
    const slow = views.get(view, key, async () => {
      const read = await load()
      began.resolve()
      await opened
      return read
    })
    slow.catch(() => {})
    await began.promise
    state.value = 2
    const heard = new Promise((resolve) => views.events.once('dropped', resolve))
    if (drop === 'key') await writer.views.drop([dropKey(view, key)])
    else await writer.views.drop([dropTag('prices')])
    await heard
    const during = await views.get(view, key, load)
    openGate()
    await slow
    return { during, after: await views.get(view, key, load) }
  }

  it.each(['key', 'tag'] as const)(
    'is stored nowhere, and nobody who asks after it waits: by %s',
    async (by) => {
      for (const level of ['memory', 'redis', 'both'] as const) {
        expect(await race(by, level)).toEqual({ during: 2, after: 2 })
      }
    },
  )

  it('would stay in memory without the check of its ticket', async () => {
    const run = (open: OpenViews) => race('key', 'memory', open)
    expect((await without('the ticket of a load', run)).after).toBe(1)
  })

  /** A load ends after the drop, while another that began after it holds the lease. */
  async function twoLoads(open?: OpenViews) {
    const [here, elsewhere] = await Promise.all([rig.process(open ? { open } : {}), rig.process()])
    const view = { ...prices, level: 'redis' as const }
    const key = another()
    const load = (value: number) => {
      const { open, opened } = gate()
      const began = Promise.withResolvers<void>()
      const read = async () => {
        began.resolve()
        await opened
        return value
      }
      return { read, open, began: began.promise }
    }
    const [before, after] = [load(1), load(2)]
    const first = here.views.get(view, key, before.read)
    await before.began
    await elsewhere.views.drop([dropKey(view, key)])
    const second = elsewhere.views.get(view, key, after.read)
    await after.began
    before.open()
    await first
    after.open()
    await second
    return elsewhere.views.get(view, key, async () => 2)
  }

  it('would stay in Redis, and keep the right one out, without the check of its lease', async () => {
    expect(await twoLoads()).toBe(2)
    expect(await without('the lease of a load', twoLoads)).toBe(1)
  })

  it('would stay wrong under a tag if its versions were not compared', async () => {
    expect(await overtaken()).toBe(2)
    expect(await without('the tags of a load', overtaken)).toBe(1)
  })

  /** The drop comes while the only load is under way, and nobody asks before it has ended. */
  async function overtaken(open?: OpenViews) {
    const [here, writer] = await Promise.all([rig.process(open ? { open } : {}), rig.process()])
    const view = { ...prices, level: 'redis' as const }
    const key = another()
    const { state, load } = truth(1)
    await here.views.get(view, key, async () => {
      const read = await load()
      state.value = 2
      await writer.views.drop([dropTag('prices')])
      return read
    })
    return here.views.get(view, key, load)
  }

  it('would be waited for without being detached', async () => {
    const stuck = await without('detaching a load', async (open) => {
      const outcome = race('key', 'memory', open)
      outcome.catch(() => {})
      return Promise.race([outcome, new Promise((resolve) => setTimeout(resolve, 500, 'stuck'))])
    })
    expect(stuck).toBe('stuck')
  })
})

describe('a cut subscription', () => {
  const kill = () => rig.admin().call('CLIENT', 'KILL', 'TYPE', 'pubsub')

  /** What a process answers after a drop that it could not hear. */
  async function cut(asksMeanwhile: boolean, open?: OpenViews) {
    const { views } = await rig.process(open ? { open } : {})
    const writer = await rig.process()
    const { state, load } = truth(1)
    await views.get(prices, ['BTC'], load)
    const lost = new Promise((resolve) => views.events.once('flushed', resolve))
    await kill()
    expect(await lost).toMatchObject({ reason: 'disconnected' })
    state.value = 2
    await writer.views.drop([dropKey(prices, ['BTC'])])
    const during = asksMeanwhile ? await views.get(prices, ['BTC'], load) : undefined
    await eventually(() => views.stats().serving)
    return { during, after: await views.get(prices, ['BTC'], load) }
  }

  it('stops serving from memory until it is confirmed again, and forgets what it held', async () => {
    expect(await cut(true)).toEqual({ during: 2, after: 2 })
  })

  it('would serve stale answers if memory were not flushed', async () => {
    const run = (open: OpenViews) => cut(false, open)
    expect((await without('emptying the memory', run)).after).toBe(1)
  })

  it.each(['before', 'after'])(
    'asks for no answer of an epoch that ended meanwhile: %s it hears again',
    async (when) => {
      const [{ views, subscriber }, writer] = await Promise.all([rig.process(), rig.process()])
      await views.get(prices, ['BTC'], async () => 1)
      subscriber().disconnect(when === 'after')
      await eventually(() => !views.stats().serving)
      await writer.views.dropEverything()
      if (when === 'after') await eventually(() => views.stats().serving)
      expect(await views.get(prices, ['BTC'], async () => 2)).toBe(2)
    },
  )

  it('does not store a load that began before it', async () => {
    const { views } = await rig.process()
    const view = { ...prices, level: 'memory' as const }
    const { open, opened } = gate()
    const slow = views.get(view, ['BTC'], async () => {
      await opened
      return 1
    })
    const lost = new Promise((resolve) => views.events.once('flushed', resolve))
    await kill()
    await lost
    await eventually(() => views.stats().serving)
    open()
    await slow
    expect(await views.get(view, ['BTC'], async () => 2)).toBe(2)
  })
})

describe('a server', () => {
  it('that is frozen is not waited for: loads go past it, and no more at once than the bulkhead lets', async () => {
    const { views } = await rig.process({ maxLoads: 4, hurried: true, proofMs: 300 })
    const { views: writer } = await rig.process()
    await views.get(prices, ['BTC'], async () => 1)
    rig.redis().pause()
    let running = 0
    let most = 0
    const load = async () => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running--
      return 2
    }
    try {
      await eventually(() => !views.stats().serving, { what: 'the end of serving' })
      const asked = Array.from({ length: 200 }, (_, i) => views.get(prices, [`S${i}`], load))
      expect(new Set(await Promise.all(asked))).toEqual(new Set([2]))
      expect(most).toBe(4)
      expect(views.stats().breaker).not.toBe('closed')
      expect(await views.get(prices, ['BTC'], load)).toBe(2)
    } finally {
      rig.redis().resume()
    }
    // The writer's outbox tells its drop now.
    await eventually(() => writer.drop([dropKey(prices, ['BTC'])]).then(() => true))
    await usesBoth(views)
    expect(await views.get(prices, ['BTC'], load)).toBe(2)
  })

  it('that gives a lease too late has it given up, so that nobody waits for a load that nobody does', async () => {
    const [{ views }, elsewhere] = await Promise.all([
      // Nobody would wait for so long.
      rig.process({ hurried: true, leaseMs: 120_000 }),
      rig.process(),
    ])
    const view = { ...prices, level: 'redis' as const }
    await rig.admin().call('CLIENT', 'PAUSE', '200', 'WRITE')
    expect(await views.get(view, ['BTC'], async () => 1)).toBe(1)
    expect(await elsewhere.views.get(view, ['BTC'], async () => 2)).toBe(2)
  })

  /** What is answered after a restart that brings back what was true before the last drop. */
  async function fromThePast(open?: OpenViews) {
    const redis = await startRedis(['--appendonly', 'no'])
    const admin = connectRedis(redis.url, 'jobs')
    const process = openProcess(redis.url, open ? { open } : {})
    try {
      const { state, load } = truth(1)
      await usesBoth(process.views)
      await process.views.get(prices, ['BTC'], load)
      await admin.call('SAVE')
      state.value = 2
      await process.views.drop([dropKey(prices, ['BTC'])])
      await redis.restart()
      await usesBoth(process.views)
      return await process.views.get(prices, ['BTC'], load)
    } finally {
      await process.close()
      await closeRedis(admin)
      await redis.stop()
    }
  }

  it('that brings back what it had forgotten to be wrong is not believed', async () => {
    expect(await fromThePast()).toBe(2)
  })

  it('would be believed if its start were not compared', async () => {
    expect(await without('the start of the server', fromThePast)).toBe(1)
  })

  /** What a process answers that was told of no drop since Redis forgot everything. */
  async function afterFlush(open?: OpenViews) {
    const deaf = await rig.process({ heartbeatMs: 600_000, proofMs: 600_000, ...(open ? { open } : {}) })
    const view = { ...prices, level: 'redis' as const }
    const { state, load } = truth(1)
    await rig.admin().flushall()
    const writer = await rig.process()
    await deaf.views.get(view, ['BTC'], load)
    deaf.subscriber().disconnect()
    await eventually(() => !deaf.views.stats().serving)
    state.value = 2
    await writer.views.drop([dropKey(view, ['BTC'])])
    return deaf.views.get(view, ['BTC'], load)
  }

  it('that was flushed is used by all under one epoch', async () => {
    expect(await afterFlush()).toBe(2)
  })

  it('would be used by each under its own if scripts did not compare it', async () => {
    expect(await without('the epoch of a script', afterFlush)).toBe(1)
  })
})
