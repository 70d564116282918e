// The cache compares what it gave with what is true: it finds what nobody dropped, and accuses nobody else.
import { expect, it } from 'vitest'
import type { Comparison } from '../../src/cache/comparing.ts'
import { dropKey, dropTag } from '../../src/cache/index.ts'
import { observe } from '../../src/console/index.ts'
import { openLog, systemClock } from '../../src/kernel/index.ts'
import { eventually } from '../support/eventually.ts'
import { cacheRig, truth } from './rig.ts'
import { prices } from './support.ts'

const rig = cacheRig()

/** A process that compares all the time, and what it has found. */
async function comparing(times = { everyMs: 1, afterMs: 20, settleMs: 200 }) {
  const { views } = await rig.process({ compare: times })
  const found: { place: string; result: Comparison }[] = []
  views.events.on('compared', ({ place, result }) => void found.push({ place, result }))
  const results = () => found.filter(({ place }) => place === 'prices:BTC').map(({ result }) => result)
  return { views, results }
}

it('says of an answer that it equals its source', async () => {
  const { views, results } = await comparing()
  const { load } = truth(1)
  await eventually(async () => (await views.get(prices, ['BTC'], load)) && results().length >= 3)
  expect(new Set(results())).toEqual(new Set(['equal']))
})

it('names an answer that is wrong because nobody told of the change', async () => {
  const { views, results } = await comparing()
  const { state, load } = truth(1)
  await views.get(prices, ['BTC'], load)
  state.value = 2
  await eventually(async () => (await views.get(prices, ['BTC'], load)) && results().includes('wrong'))
  // It is what is given until its lifetime ends: that is the fault which was found.
  expect(await views.get(prices, ['BTC'], load)).toBe(1)
})

it.each([
  ['by its key', () => dropKey(prices, ['BTC'])],
  ['by its tag', () => dropTag('prices')],
])('accuses nobody of a change that is told %s, early or late', async (_, drop) => {
  const { views, results } = await comparing({ everyMs: 1, afterMs: 20, settleMs: 20_000 })
  const writer = await rig.process()
  const { state, load } = truth(1)
  for (let i = 0; i < 6; i++) {
    const { length } = results()
    await views.get(prices, ['BTC'], load)
    const { loads } = state
    state.value++
    // Late: what is cached has been compared with a source that is ahead of it.
    if (i % 2 === 0)
      await eventually(async () => (await views.get(prices, ['BTC'], load)) && state.loads > loads)
    await writer.views.drop([drop()])
    await eventually(async () => (await views.get(prices, ['BTC'], load)) && results().length > length)
  }
  expect(results()).not.toContain('wrong')
  expect(results().filter((result) => result === 'changed').length).toBeGreaterThanOrEqual(3)
})

it('judges nothing while drops may have been missed', async () => {
  const { views, results } = await comparing({ everyMs: 1, afterMs: 1, settleMs: 500 })
  const { state, load } = truth(1)
  let gaps = 0
  const cutting = setInterval(() => {
    gaps++
    void rig.admin().call('CLIENT', 'KILL', 'TYPE', 'pubsub')
  }, 50)
  try {
    await views.get(prices, ['BTC'], load)
    state.value = 2
    await eventually(async () => {
      // What is cached stays wrong, because nobody drops it.
      await views.get({ ...prices, level: 'redis' }, ['BTC'], load)
      return results().length >= 3 && gaps >= 3
    })
  } finally {
    clearInterval(cutting)
  }
  expect(new Set(results())).toEqual(new Set(['changed']))
})

it('leaves views alone that nobody drops', async () => {
  const { views, results } = await comparing()
  const { state, load } = truth(1)
  const aging = { ...prices, onlyAges: true as const }
  await views.get(aging, ['BTC'], load)
  state.value = 2
  for (let i = 0; i < 100; i++) await views.get(aging, ['BTC'], load)
  const other = truth(5)
  await eventually(async () => {
    await views.get(aging, ['BTC'], load)
    await views.get(prices, ['ETH'], other.load)
    return views.stats().loads > 2
  })
  expect(results()).toEqual([])
})

it('tells what was done as sums, and what is held, for the metrics', async () => {
  const { views } = await rig.process()
  const { load } = truth(1)
  for (let i = 0; i < 3; i++) await views.get(prices, ['BTC'], load)
  const counters = observe(
    { cache: views.events },
    { clock: systemClock, log: openLog({ level: 'silent', name: 'test' }) },
  )
  const sampleOf = (name: string, level?: string) =>
    counters.list().find(([metric, labels]) => metric === name && labels['level'] === level)?.[2]
  await eventually(() => Promise.resolve(sampleOf('sluice_cache_entries') !== undefined))
  const { memoryHits, redisHits, entries } = views.stats()
  expect(memoryHits).toBeGreaterThanOrEqual(2)
  expect([
    sampleOf('sluice_cache_hits_total', 'memory'),
    sampleOf('sluice_cache_hits_total', 'redis'),
  ]).toEqual([memoryHits, redisHits])
  expect([sampleOf('sluice_cache_entries'), sampleOf('sluice_cache_breaker_open')]).toEqual([entries, 0])
})
