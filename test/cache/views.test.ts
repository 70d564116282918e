// Two levels against a real Redis: each case is a way in which plain caches keep a wrong answer, or ask too often.
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineView, dropKey, dropTag, encodeDrops } from '../../src/cache/index.ts'
import { DROPS, META } from '../../src/cache/keys.ts'
import { isSluiceError, SluiceError } from '../../src/kernel/index.ts'
import { eventually } from '../support/eventually.ts'
import { cacheRig, gate, truth } from './rig.ts'
import { prices } from './support.ts'

const rig = cacheRig()

describe('a view', () => {
  it('is loaded once, and then served from memory here and from Redis elsewhere', async () => {
    const [here, elsewhere] = await Promise.all([rig.process(), rig.process()])
    const { state, load } = truth(1)
    for (const { views } of [here, here, elsewhere, elsewhere]) {
      expect(await views.get(prices, ['BTC'], load)).toBe(1)
    }
    expect(state.loads).toBe(1)
    expect(here.views.stats()).toMatchObject({ memoryHits: 1, redisHits: 0 })
    expect(elsewhere.views.stats()).toMatchObject({ memoryHits: 1, redisHits: 1 })
  })

  it('is loaded once for a thousand callers in three processes at the same time', async () => {
    const processes = await Promise.all([rig.process(), rig.process(), rig.process()])
    const { state, load } = truth(1)
    const { open, opened } = gate()
    const slow = () => opened.then(load)
    const all = processes.flatMap(({ views }) =>
      Array.from({ length: 333 }, () => views.get(prices, ['BTC'], slow)),
    )
    await eventually(() => processes.every(({ views }) => views.stats().joined >= 332))
    open()
    expect(new Set(await Promise.all(all))).toEqual(new Set([1]))
    expect(state.loads).toBe(1)
  })

  it('that cannot be loaded is tried once in a while, and everyone gets the error', async () => {
    const processes = await Promise.all([rig.process(), rig.process()])
    let loads = 0
    const fail = async () => {
      loads++
      // Whatever fails in a loader is no failure of the cache's own Redis.
      throw new SluiceError('REDIS_UNAVAILABLE', 'no database')
    }
    const ask = () =>
      Promise.allSettled(
        processes.flatMap(({ views }) => [1, 2, 3].map(() => views.get(prices, ['BTC'], fail))),
      )
    const answers = [...(await ask()), ...(await ask())]
    expect(answers.map((one) => one.status === 'rejected' && one.reason.message)).toEqual(
      answers.map(() => 'no database'),
    )
    expect(loads).toBe(1)
    const { views } = processes[0]!
    expect(await eventually(() => views.get(prices, ['BTC'], async () => 7))).toBe(7)
  })

  it('is refused with an answer that does not have its shape', async () => {
    const { views } = await rig.process()
    const wrong = views.get(prices, ['BTC'], async () => 'text' as never)
    await expect(wrong).rejects.toSatisfy((error) => isSluiceError(error, 'PAYLOAD_INVALID'))
    // Nobody waits for what cannot be kept as JSON.
    const wide = { ...prices, name: 'wide', shape: z.bigint() }
    const elsewhere = await rig.process()
    for (const { get } of [views, elsewhere.views]) {
      await expect(get(wide, ['BTC'], async () => 1n)).rejects.toThrow('BigInt')
    }
    expect(elsewhere.views.stats().waits).toBe(0)
  })

  it('of nothing is an answer too, and kept like any', async () => {
    const nothing = defineView<[symbol: string], number | undefined>({
      ...{ name: 'nothing', about: 'Perhaps a number.', parts: ['symbol'], lifetimeMs: 60_000 },
      shape: z.number().optional(),
    })
    const [here, elsewhere] = await Promise.all([rig.process(), rig.process()])
    let loads = 0
    const load = async () => {
      loads++
      return undefined
    }
    for (const { views } of [here, elsewhere, here]) {
      expect(await views.get(nothing, ['BTC'], load)).toBeUndefined()
    }
    expect(loads).toBe(1)
  })

  it('is not taken for its next version', async () => {
    const { views } = await rig.process()
    await views.get({ ...prices, level: 'redis' }, ['BTC'], async () => 1)
    const next = { ...prices, level: 'redis' as const, version: 2 }
    expect(await views.get(next, ['BTC'], async () => 2)).toBe(2)
    const fail = () => Promise.reject(new Error('not yet'))
    await expect(views.get(next, ['ETH'], fail)).rejects.toThrow('not yet')
    expect(await views.get({ ...next, version: 1 }, ['ETH'], async () => 1)).toBe(1)
  })

  it('is given within its grace while it cannot be loaded, and no longer', async () => {
    const { views } = await rig.process({ throttleMs: 50 })
    const brief = { ...prices, level: 'redis' as const, lifetimeMs: 100, graceMs: 300 }
    await views.get(brief, ['BTC'], async () => 1)
    const fail = () => Promise.reject(new Error('no database'))
    // Asked all the time: each lease and each failure prolongs the key.
    await eventually(() =>
      views.get(brief, ['BTC'], fail).then(
        () => false,
        () => true,
      ),
    )
  })

  it('is given once more after its lifetime, while one caller loads the next', async () => {
    const processes = await Promise.all([rig.process(), rig.process()])
    const brief = { ...prices, lifetimeMs: 100, graceMs: 600_000 }
    const { state, load } = truth(1)
    for (const { views } of processes) await views.get(brief, ['BTC'], load)
    state.value = 2
    const { open, opened } = gate()
    const slow = () => opened.then(load)
    // Nobody waits for the load, which has not ended.
    await eventually(async () => {
      const answers = await Promise.all(processes.map(({ views }) => views.get(brief, ['BTC'], slow)))
      expect(answers).toEqual([1, 1])
      return processes.some(({ views }) => views.stats().loading === 1)
    })
    open()
    const { views } = processes[0]!
    await eventually(async () => (await views.get(brief, ['BTC'], load)) === 2)
  })

  it('keeps no more answers in memory than allowed, and gives up what nobody asks for', async () => {
    const { views } = await rig.process({ maxEntries: 3 })
    for (const symbol of ['A', 'B', 'C']) await views.get(prices, [symbol], async () => 1)
    await views.get(prices, ['A'], async () => 2)
    await views.get(prices, ['D'], async () => 1)
    const { memoryHits } = views.stats()
    await views.get(prices, ['A'], async () => 2)
    expect(views.stats()).toMatchObject({ entries: 3, memoryHits: memoryHits + 1 })
    await views.get(prices, ['B'], async () => 2)
    expect(views.stats()).toMatchObject({ entries: 3, memoryHits: memoryHits + 1 })
  })

  it('of level redis is kept in no process, of level memory nowhere else', async () => {
    const { views } = await rig.process()
    const { entries } = views.stats()
    await views.get({ ...prices, level: 'redis' }, ['BTC'], async () => 1)
    expect(views.stats().entries).toBe(entries)
    const keys = await rig.admin().dbsize()
    await views.get({ ...prices, level: 'memory' }, ['ETH'], async () => 1)
    expect(views.stats().entries).toBe(entries + 1)
    expect(await rig.admin().dbsize()).toBe(keys)
  })
})

describe('a drop', () => {
  it('reaches every process', async () => {
    const processes = await Promise.all([rig.process(), rig.process(), rig.process()])
    const { state, load } = truth(1)
    for (const { views } of processes) expect(await views.get(prices, ['BTC'], load)).toBe(1)
    state.value = 2
    await processes[0]!.views.drop([dropKey(prices, ['BTC'])])
    for (const { views } of processes) {
      await eventually(async () => (await views.get(prices, ['BTC'], load)) === 2)
    }
    expect(state.loads).toBe(2)
  })

  it('is told also by a Redis that is full', async () => {
    const [here, writer] = await Promise.all([rig.process(), rig.process()])
    await here.views.get(prices, ['BTC'], async () => 1)
    await rig.admin().config('SET', 'maxmemory', '1')
    try {
      await expect(rig.admin().set('k', 'v')).rejects.toThrow('OOM')
      await writer.views.drop([dropTag('prices')])
      await writer.views.drop([dropKey(prices, ['BTC'])])
      await eventually(async () => (await here.views.get(prices, ['BTC'], async () => 2)) === 2)
    } finally {
      await rig.admin().config('SET', 'maxmemory', '0')
    }
  })

  it('is told also by a Redis that is full as it begins, like a replica in the place of a full master', async () => {
    const [here, writer] = await Promise.all([rig.process(), rig.process()])
    const dropped = async (from: number, to: number) => {
      expect(await here.views.get(prices, ['BTC'], async () => from)).toBe(from)
      await writer.views.drop([dropKey(prices, ['BTC'])])
      await eventually(async () => (await here.views.get(prices, ['BTC'], async () => to)) === to)
    }
    await dropped(1, 2)
    await rig.admin().config('SET', 'maxmemory', '1')
    try {
      const { flushes } = here.views.stats()
      await rig.admin().del('{cache}:meta')
      await eventually(() => here.views.stats().flushes > flushes)
      await dropped(3, 4)
    } finally {
      await rig.admin().config('SET', 'maxmemory', '0')
    }
  })

  it('passes a full Redis also while many ask it for answers that it cannot store', async () => {
    const { views } = await rig.process()
    const apart = { ...prices, level: 'redis' as const }
    await rig.admin().config('SET', 'maxmemory', '1')
    try {
      const asked = Array.from({ length: 10 }, (_, i) => views.get(apart, [`S${i}`], async () => i))
      expect(await Promise.all(asked)).toEqual(asked.map((_, i) => i))
      expect(views.stats()).toMatchObject({ bypassed: 10, breaker: 'closed' })
      await views.drop([dropKey(prices, ['BTC'])])
    } finally {
      await rig.admin().config('SET', 'maxmemory', '0')
    }
  })

  it('of one key leaves the others, of a tag takes all under it, of everything takes all', async () => {
    const { views } = await rig.process()
    const get = (symbol: string, value: number) => views.get(prices, [symbol], async () => value)
    for (const symbol of ['BTC', 'ETH']) await get(symbol, 1)
    await views.drop([dropKey(prices, ['BTC'])])
    expect([await get('BTC', 2), await get('ETH', 2)]).toEqual([2, 1])
    await views.drop([dropTag('prices')])
    expect([await get('BTC', 3), await get('ETH', 3)]).toEqual([3, 3])
    // As the relay tells what a writer has put into its outbox; what it cannot read may have meant anything.
    await views.dropTold([encodeDrops([dropKey(prices, ['BTC'])])])
    expect([await get('BTC', 4), await get('ETH', 4)]).toEqual([4, 3])
    await views.dropTold(['what is this'])
    expect([await get('BTC', 5), await get('ETH', 5)]).toEqual([5, 5])
  })

  it('that was missed, or cannot be understood, empties the memory', async () => {
    const { views } = await rig.process()
    const emptied = () => {
      const { promise, resolve } = Promise.withResolvers<string>()
      views.events.once('flushed', ({ reason }) => resolve(reason))
      return promise
    }
    const malformed = emptied()
    await rig.admin().publish(DROPS, 'not a drop')
    expect(await malformed).toBe('malformed')
    // A drop that was told and never arrived.
    const missed = emptied()
    await rig.admin().hincrby(META, 'sequence', 1)
    expect(await missed).toBe('sequence')
    const flushed = emptied()
    await rig.admin().flushall()
    expect(await flushed).toBe('epoch')
    expect(views.stats().gaps).toBe(3)
  })

  it('of a tag holds also when Redis has evicted what it knew of tags', async () => {
    const { views } = await rig.process()
    const apart = { ...prices, level: 'redis' as const }
    await views.get(apart, ['BTC'], async () => 1)
    await views.drop([dropTag('prices')])
    for (const key of await rig.admin().keys('{cache}:*:tags')) {
      // What nobody asks for any more is not kept for ever.
      expect(await rig.admin().pttl(key)).toBeGreaterThan(0)
      await rig.admin().del(key)
    }
    expect(await views.get(apart, ['BTC'], async () => 2)).toBe(2)
  })

  it('holds for who has dropped also when Redis has evicted the epoch', async () => {
    const { views } = await rig.process()
    const apart = { ...prices, level: 'redis' as const }
    await views.get(apart, ['BTC'], async () => 1)
    await rig.admin().del(META)
    await views.drop([dropKey(apart, ['BTC'])])
    const epoch = await rig.admin().hget(META, 'epoch')
    expect(await views.get(apart, ['BTC'], async () => 2)).toBe(2)
    expect(await rig.admin().hget(META, 'epoch')).toBe(epoch)
  })

  it('is no gap when more of them arrive with the answer to a heartbeat', async () => {
    const [{ views }, writer] = await Promise.all([rig.process({ heartbeatMs: 1 }), rig.process()])
    const last = Array.from({ length: 3_000 }, (_, i) => writer.views.drop([dropKey(prices, [`S${i}`])]))
    await Promise.all(last)
    await views.get(prices, ['BTC'], async () => 1)
    await writer.views.drop([dropKey(prices, ['BTC'])])
    await eventually(async () => (await views.get(prices, ['BTC'], async () => 2)) === 2)
    expect(views.stats().gaps).toBe(0)
  })
})
