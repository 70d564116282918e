// Answers that are put into Redis before anybody asks: by the protocol of a load, so nothing that was dropped comes back.
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  type AnySource,
  defineSource,
  defineView,
  dropKey,
  dropTag,
  type openViews,
} from '../../src/cache/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { eventually } from '../support/eventually.ts'
import { without } from './faults.ts'
import { cacheRig, gate } from './rig.ts'
import { openProcess } from './support.ts'

const rig = cacheRig()
const COUNT = 600

const hot = defineView<[symbol: string], number>({
  name: 'hot',
  about: 'A number for each symbol.',
  shape: z.number().int(),
  parts: ['symbol'],
  lifetimeMs: 60_000,
  tags: ([symbol]) => ['hot', `hot.${symbol.at(-1)}`],
})
const symbols = Array.from({ length: COUNT }, (_, i) => `S${i}`)

/** A source whose truth changes; says what was loaded by readers and in bulk. */
function hotSource(during: () => Promise<unknown> = async () => undefined) {
  const state = { value: 1, loads: 0, bulk: [] as string[] }
  const source = defineSource<[symbol: string], number>({
    view: hot,
    keyOf: ([symbol = '']) => [symbol],
    async load() {
      state.loads++
      return state.value
    },
    warm: {
      keys: async () => symbols.map((symbol): [string] => [symbol]),
      async loadMany(keys) {
        state.bulk.push(...keys.map(([symbol]) => symbol))
        const values = keys.map(() => state.value)
        await during()
        return values
      },
    },
  })
  return { state, source, all: [source as unknown as AnySource] }
}

describe('warming', () => {
  it('gives every process its answers without a load, and says how many they were', async () => {
    const [here, elsewhere] = await Promise.all([rig.process(), rig.process()])
    const { state, source, all } = hotSource()
    const seen: number[] = []
    const reports = await here.views.warm(all, { onProgress: ({ warmed }) => void seen.push(warmed) })
    expect(reports).toMatchObject([
      { view: 'hot', keys: COUNT, warmed: COUNT, skipped: 0, refused: 0, failed: 0 },
    ])
    expect(seen).toEqual([250, 500, 600])
    for (const { views } of [here, elsewhere]) {
      const { redisHits } = views.stats()
      for (const symbol of symbols)
        expect(await views.get(hot, [symbol], () => source.load([symbol], NEVER))).toBe(1)
      expect(views.stats().redisHits).toBe(redisHits + COUNT)
    }
    expect(state.loads).toBe(0)
  })

  it('leaves what is there, and what somebody loads, alone', async () => {
    const [here, elsewhere] = await Promise.all([rig.process(), rig.process()])
    const { state, all } = hotSource()
    await elsewhere.views.get(hot, ['S0'], async () => 7)
    let stored: (value: number) => void = () => undefined
    const began = Promise.withResolvers<void>()
    const loading = elsewhere.views.get(hot, ['S1'], () => {
      began.resolve()
      return new Promise<number>((resolve) => {
        stored = resolve
      })
    })
    await began.promise
    expect(await here.views.warm(all)).toMatchObject([{ warmed: COUNT - 2, skipped: 2 }])
    expect(state.bulk).toEqual(symbols.slice(2))
    stored(8)
    expect(await loading).toBe(8)
    expect(await here.views.get(hot, ['S0'], async () => 0)).toBe(7)
    expect(await here.views.get(hot, ['S1'], async () => 0)).toBe(8)
  })

  it('is void for what was dropped meanwhile, by its key or by its tag', async () => {
    expect(await overtaken()).toEqual([2, 2, 1])
  })

  it('would bring back what was dropped if it kept no lease', async () => {
    expect(await without('the lease of a load', overtaken)).toEqual([1, 2, 1])
    await rig.admin().flushall()
    expect(await without('the tags of a load', overtaken)).toEqual([2, 1, 1])
  })

  /**
   * What is answered after a warming during which S10 was dropped by its key and is being loaded anew, and those that
   * end with 7 were dropped by their tag.
   */
  async function overtaken(open?: typeof openViews) {
    const [here, writer] = await Promise.all([rig.process(open ? { open } : {}), rig.process()])
    const ended = gate()
    let anew: Promise<number> | undefined
    const { state, all } = hotSource(async () => {
      if (state.value === 2) return
      state.value = 2
      await writer.views.drop([dropKey(hot, ['S10']), dropTag('hot.7')])
      const began = gate()
      anew = writer.views.get(hot, ['S10'], async () => {
        began.open()
        await ended.opened
        return 2
      })
      await began.opened
    })
    await here.views.warm(all)
    ended.open()
    await anew
    const ask = (symbol: string) => here.views.get(hot, [symbol], async () => state.value)
    return [await ask('S10'), await ask('S17'), await ask('S11')]
  }

  it('that fails makes nobody wait, and ends with its reason', async () => {
    const { views } = await rig.process()
    const { all } = hotSource(() => Promise.reject(new Error('no database')))
    expect(await views.warm(all)).toMatchObject([
      { keys: COUNT, warmed: 0, failed: 500, reason: 'no database' },
    ])
    expect(await views.get(hot, ['S0'], async () => 5)).toBe(5)
    expect(views.stats().waits).toBe(0)
  })

  it('goes on when Redis answers again after a moment', async () => {
    const { views } = await rig.process({ hurried: true })
    let wasAway = false
    const { all } = hotSource(async () => {
      if (wasAway) return
      wasAway = true
      rig.redis().pause()
      void systemClock.sleep(200).then(() => rig.redis().resume())
    })
    const [report] = await views.warm(all)
    expect(report).toMatchObject({ refused: 0, failed: 0 })
    // What was stored without its answer arriving in time is there at the next try.
    expect(report!.warmed + report!.skipped).toBe(COUNT)
  })

  it('stores nothing that a load would refuse', async () => {
    const { views } = await rig.process()
    const { state, all } = hotSource()
    state.value = 0.5
    const reports = await views.warm(all)
    expect(reports).toMatchObject([{ warmed: 0, failed: COUNT, reason: expect.stringContaining('shape') }])
    expect(await views.get(hot, ['S0'], async () => 5)).toBe(5)
  })

  it('is done once in each epoch, by whoever comes first, also of those who hear no drops', async () => {
    const here = await rig.process()
    const deaf = openProcess(rig.redis().url)
    try {
      const { state, all } = hotSource()
      expect(await here.views.warmEpoch(all)).toMatchObject([{ warmed: COUNT }])
      expect(await here.views.warmEpoch(all)).toBeUndefined()
      await eventually(() => deaf.views.isWarmed())
      await rig.admin().flushall()
      expect(await deaf.views.warmEpoch(all)).toMatchObject([{ warmed: COUNT }])
      expect(await here.views.isWarmed()).toBe(true)
      await here.views.dropEverything()
      const broken = hotSource(() => Promise.reject(new Error('no database')))
      expect(await deaf.views.warmEpoch(broken.all)).toMatchObject([{ warmed: 0 }])
      expect(await deaf.views.warmEpoch(all)).toMatchObject([{ warmed: COUNT }])
      expect(state.loads).toBe(0)
    } finally {
      await deaf.close()
    }
  })

  it('goes no faster than it may', async () => {
    const { views } = await rig.process()
    const began = performance.now()
    expect(await views.warm(hotSource().all, { perSecond: 1_500 })).toMatchObject([{ warmed: COUNT }])
    // The last of three batches may go when the others have had their time: no slow machine misses a lower bound.
    expect(performance.now() - began).toBeGreaterThanOrEqual(332)
  })

  it('ends when it is told to', async () => {
    const { views } = await rig.process()
    const stop = new AbortController()
    const reports = await views.warm(hotSource().all, {
      ...{ perSecond: 1, signal: stop.signal },
      onProgress: () => stop.abort(),
    })
    expect(reports).toMatchObject([{ keys: COUNT, warmed: 250 }])
  })
})

const NEVER = new AbortController().signal
