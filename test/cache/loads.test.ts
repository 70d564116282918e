// When loads begin and end: under a lease that covers them, in a place of their own, once for each version of a view.
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineView, dropKey, openViews } from '../../src/cache/index.ts'
import { isSluiceError } from '../../src/kernel/index.ts'
import { eventually } from '../support/eventually.ts'
import { without } from './faults.ts'
import { cacheRig, gate } from './rig.ts'
import { prices } from './support.ts'

const rig = cacheRig()
const apart = { ...prices, level: 'redis' as const }

describe('a load that waits for room', () => {
  /** Its lease is over by the time it may begin, and `meanwhile` has happened. */
  async function waited(
    meanwhile: (views: Awaited<ReturnType<typeof rig.process>>['views']) => Promise<unknown>,
  ) {
    const [here, elsewhere] = await Promise.all([
      rig.process({ maxLoads: 1, leaseMs: 100 }),
      rig.process({ leaseMs: 30_000 }),
    ])
    const full = gate()
    const taken = gate()
    const first = here.views.get(apart, ['full'], async () => {
      taken.open()
      await full.opened
      return 0
    })
    await taken.opened
    const loads: string[] = []
    const answer = here.views.get(apart, ['BTC'], async () => {
      loads.push('here')
      return 1
    })
    const result = await eventually(async () => {
      const [lease] = await rig.admin().keys('{cache}:*:prices:BTC@*')
      return lease === undefined
    })
    expect(result).toBe(true)
    await meanwhile(elsewhere.views)
    full.open()
    await first
    return { answer: await answer, loads }
  }

  it('does not begin when somebody else has loaded meanwhile', async () => {
    const { answer, loads } = await waited((views) => views.get(apart, ['BTC'], async () => 2))
    expect({ answer, loads }).toEqual({ answer: 2, loads: [] })
  })

  it('does not begin while somebody else loads, and gets their answer', async () => {
    const slow = gate()
    const { answer, loads } = await waited(async (views) => {
      const began = gate()
      void views.get(apart, ['BTC'], async () => {
        began.open()
        await slow.opened
        return 3
      })
      await began.opened
      void eventually(() => views.stats().loading === 1).then(() => slow.open())
    })
    expect({ answer, loads }).toEqual({ answer: 3, loads: [] })
  })

  it('begins under a new lease when nobody has', async () => {
    const { answer, loads } = await waited(async () => undefined)
    expect({ answer, loads }).toEqual({ answer: 1, loads: ['here'] })
    expect((await rig.admin().keys('{cache}:*:prices:BTC@*')).length).toBe(1)
  })
})

it('a load that waited for room to replace an answer that is fresh keeps its lease, and nobody waits for it', async () => {
  const { views } = await rig.process({ maxLoads: 1, leaseMs: 3_000 })
  await views.get(apart, ['BTC'], async () => 1)
  const [key] = await rig.admin().keys('{cache}:*:prices:BTC@1')
  const whole = (await rig.admin().get(key!))!
  await rig.admin().set(key!, `${whole.slice(0, -1)}{`, 'KEEPTTL')
  const [full, taken] = [gate(), gate()]
  const first = views.get(apart, ['full'], async () => {
    taken.open()
    await full.opened
    return 0
  })
  await taken.opened
  const answer = views.get(apart, ['BTC'], async () => 2)
  // So long that the lease is prolonged before the load begins.
  await eventually(async () => {
    const leaseMs = await rig.admin().pttl(`${key}:load`)
    return leaseMs > 0 && leaseMs < 2_000
  })
  full.open()
  await first
  expect(await answer).toBe(2)
  expect(views.stats().waits).toBe(0)
})

it('a load that takes too long is told so, and keeps its place until it ends', async () => {
  const { views } = await rig.process({ maxLoads: 1, loadMs: 100 })
  const ended = gate()
  let signal: AbortSignal | undefined
  const isLate = (error: unknown) => isSluiceError(error, 'CACHE_OVERLOADED')
  const never = views.get(apart, ['BTC'], async (given) => {
    signal = given
    await ended.opened
    return 1
  })
  await expect(never).rejects.toSatisfy(isLate)
  expect(signal?.aborted).toBe(true)
  await expect(views.get(apart, ['ETH'], async () => 1)).rejects.toSatisfy(isLate)
  expect(views.stats().loading).toBe(1)
  ended.open()
  expect(await eventually(() => views.get(apart, ['SOL'], async () => 2))).toBe(2)
})

describe('two versions of a view', () => {
  const next = { ...apart, version: 2 }

  it('are loaded once each, and dropped together', async () => {
    const { views } = await rig.process()
    const loads: number[] = []
    const ask = async (value: number) => {
      const one = await views.get(apart, ['BTC'], async () => loads.push(1) && value)
      const two = await views.get(next, ['BTC'], async () => loads.push(2) && value * 10)
      return [one, two]
    }
    for (let i = 0; i < 3; i++) expect(await ask(1)).toEqual([1, 10])
    expect(loads).toEqual([1, 2])
    await views.drop([dropKey(apart, ['BTC'])])
    expect(await ask(2)).toEqual([2, 20])
  })

  it('leave nothing behind when the old one has ended', async () => {
    const { views } = await rig.process()
    await views.get({ ...apart, lifetimeMs: 50 }, ['BTC'], async () => 1)
    await views.get(next, ['BTC'], async () => 2)
    const left = await eventually(async () => {
      const keys = await rig.admin().keys('{cache}:*:prices:BTC@*')
      return keys.length === 1 && keys.join()
    })
    expect(left).toMatch(/@2$/)
  })

  it('are dropped together also by who has used the one before the other was known', async () => {
    const dropped = async (open = openViews) => {
      const [former, later] = [await rig.process({ open }), await rig.process({ open })]
      await former.views.get(apart, ['BTC'], async () => 1)
      await later.views.get(next, ['BTC'], async () => 10)
      await former.views.drop([dropKey(apart, ['BTC'])])
      return later.views.get(next, ['BTC'], async () => 20)
    }
    expect(await dropped()).toBe(20)
    await rig.admin().flushall()
    expect(await without('the versions of a drop', dropped)).toBe(10)
  })
})

it('an answer that somebody damaged is loaded anew, also by who hears no drops', async () => {
  const { views, subscriber } = await rig.process()
  // Its end would be one to any waiting.
  const lasting = { ...apart, lifetimeMs: 3_600_000 }
  await views.get(lasting, ['BTC'], async () => 1)
  const [key] = await rig.admin().keys('{cache}:*:prices:BTC@1')
  subscriber().disconnect()
  await eventually(() => !views.stats().serving)
  const whole = (await rig.admin().get(key!))!
  await rig.admin().set(key!, `${whole.slice(0, -1)}not JSON`, 'KEEPTTL')
  let answer = 0
  void views
    .get(lasting, ['BTC'], async () => 2)
    .then((value) => {
      answer = value
    })
  await eventually(() => answer === 2)
  expect(await views.get(lasting, ['BTC'], async () => 3)).toBe(2)
})

it('an answer within its grace outlives the leases of loads that fail', async () => {
  const { views } = await rig.process({ throttleMs: 20, leaseMs: 5_000 })
  const brief = { ...apart, lifetimeMs: 50, graceMs: 600_000 }
  await views.get(brief, ['BTC'], async () => 1)
  let loads = 0
  const fail = () => {
    loads++
    return Promise.reject(new Error('no database'))
  }
  await eventually(async () => {
    expect(await views.get(brief, ['BTC'], fail)).toBe(1)
    return loads >= 2
  })
  const [key] = await rig.admin().keys('{cache}:*:prices:BTC@1')
  expect(await rig.admin().pttl(key!)).toBeGreaterThan(5_000)
})

it('an answer whose key holds something else is loaded, and those asked for with it as well', async () => {
  const { views } = await rig.process()
  await views.get(apart, ['S1'], async () => 0)
  const [answer] = await rig.admin().keys('{cache}:*:prices:S1@1')
  for (const key of [answer!, `${answer}:load`]) {
    await rig.admin().del(key)
    await rig.admin().lpush(key, 'x')
  }
  const asked = [0, 1, 2].map((i) => views.get(apart, [`S${i}`], async () => 10 + i))
  expect(await Promise.all(asked)).toEqual([10, 11, 12])
  expect(await views.get(apart, ['S1'], async () => 99)).toBe(11)
})

it('an answer whose lifetime is none leaves those alone that are asked for with it', async () => {
  const { views } = await rig.process({ leaseMs: 500 })
  const { bypassed } = views.stats()
  const oddOf = (ms: number) => ({ ...apart, name: 'odd', lifetimeMs: () => ms, graceMs: 0.5 })
  const odd = [0, -5, 0.5, Number.NaN, Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER]
  for (const [i, ms] of odd.entries()) {
    const asked = [views.get(oddOf(ms), [`S${i}`], async () => 1), views.get(apart, [`S${i}`], async () => 2)]
    expect(await Promise.all(asked)).toEqual([1, 2])
    expect(await views.get(apart, [`S${i}`], async () => 3)).toBe(2)
  }
  for (const i of [4, 5]) expect(await views.get(oddOf(odd[i]!), [`S${i}`], async () => 4)).toBe(1)
  expect(views.stats().bypassed).toBe(bypassed)
})

it('a load whose lifetime cannot be told has failed, and nobody waits for it', async () => {
  const { views } = await rig.process()
  const lifetimeMs = () => {
    throw new Error('no calendar')
  }
  const asked = () => views.get({ ...apart, lifetimeMs }, ['BTC'], async () => 1)
  await expect(asked()).rejects.toThrow('no calendar')
  await expect(asked()).rejects.toMatchObject({ code: 'CACHE_LOAD_FAILED' })
})

it('answers of many bytes that are asked for together all come', async () => {
  const [first, second] = [await rig.process(), await rig.process()]
  const large = defineView<[symbol: string], string>({
    ...{ name: 'large', about: 'Texts.', shape: z.string(), parts: ['symbol'], lifetimeMs: 60_000 },
    level: 'redis',
  })
  const symbols = Array.from({ length: 20 }, (_, i) => `S${i}`)
  const load = (symbol: string) => async () => symbol.repeat(40_000)
  for (const symbol of symbols) await first.views.get(large, [symbol], load(symbol))
  second.subscriber().disconnect()
  await eventually(() => !second.views.stats().serving)
  const never = async () => {
    throw new Error('it is there')
  }
  const read = await Promise.all(symbols.map((symbol) => second.views.get(large, [symbol], never)))
  expect(read).toEqual(symbols.map((symbol) => symbol.repeat(40_000)))
})
