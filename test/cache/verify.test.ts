// What Redis holds, compared with where it comes from: each wrong answer is named, and nothing else.
import { expect, it } from 'vitest'
import { z } from 'zod'
import {
  type AnySource,
  defineSource,
  defineView,
  dropKey,
  dropTag,
  inspectEntry,
} from '../../src/cache/index.ts'
import { spotOf } from '../../src/cache/remote.ts'
import { verifyCache } from '../../src/cache/verify.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { eventually } from '../support/eventually.ts'
import { cacheRig } from './rig.ts'

const rig = cacheRig()

const rows = defineView<[symbol: string, limit: number], { symbol: string; n: number }[]>({
  name: 'rows',
  about: 'Rows of a symbol.',
  shape: z.array(z.object({ symbol: z.string(), n: z.number() })),
  parts: ['symbol', 'limit'],
  lifetimeMs: 60_000,
  tags: ([symbol]) => [`rows.${symbol}`],
})
const aging = { ...rows, name: 'aging', onlyAges: true as const }

/** Two views over one truth that the test changes, and what a comparison finds. */
function rowsRig(during: (pass: number) => Promise<unknown> = async () => undefined) {
  const state = { n: 1, loads: 0, fails: false }
  const source = defineSource<[symbol: string, limit: number], { symbol: string; n: number }[]>({
    view: rows,
    keyOf: ([symbol = '', limit = '']) => [symbol, Number(limit)],
    async load([symbol, limit]) {
      if (state.fails) throw new Error('no database')
      const read = Array.from({ length: limit }, () => ({ n: state.n, symbol }))
      await during(state.loads++)
      return read
    },
  })
  const sources = [source, { ...source, view: aging }] as unknown as readonly AnySource[]
  return {
    state,
    source,
    verify: () => verifyCache({ client: rig.admin(), sources, clock: systemClock, pauseMs: 20 }),
  }
}
const filled = async () => {
  const { views } = await rig.process()
  const load =
    (symbol: string, limit: number, n = 1) =>
    async () =>
      Array.from({ length: limit }, () => ({ symbol, n }))
  await views.get(rows, ['BTC/USDT', 2], load('BTC/USDT', 2))
  await views.get(rows, ['ETH:x', 1], load('ETH:x', 1))
  await views.get(aging, ['BTC/USDT', 1], load('BTC/USDT', 1, 9))
  return views
}

it('finds nothing where every answer is what its source says, in whatever order its fields are', async () => {
  await filled()
  // The probes of the test are of a view that is not declared here.
  expect(await rowsRig().verify()).toMatchObject({ equal: 2, changed: 0, unread: 0, wrong: [] })
})

it('names what was changed and never dropped, with both', async () => {
  await filled()
  const { state, verify } = rowsRig()
  state.n = 2
  const { wrong, equal } = await verify()
  expect(equal).toBe(0)
  expect(wrong.map(({ key }) => key).sort()).toEqual([
    ['BTC/USDT', 2],
    ['ETH:x', 1],
  ])
  const [one] = wrong.filter(({ key }) => key[1] === 1)
  expect(one).toMatchObject({
    view: 'rows',
    cached: '[{"symbol":"ETH:x","n":1}]',
    source: '[{"symbol":"ETH:x","n":2}]',
  })
})

it('takes a change that is told a moment later for none', async () => {
  const views = await filled()
  const { state, verify } = rowsRig(async (pass) => {
    // Both have been looked at once.
    if (pass === 1) await views.drop([dropKey(rows, ['BTC/USDT', 2]), dropKey(rows, ['ETH:x', 1])])
  })
  state.n = 2
  expect(await verify()).toMatchObject({ wrong: [] })
})

it('says when a source cannot be read', async () => {
  await filled()
  const { state, verify } = rowsRig()
  state.fails = true
  expect(await verify()).toMatchObject({ unread: 2, reason: 'no database', wrong: [] })
})

it('accuses no answer that was dropped by its tag and read by nobody since', async () => {
  const views = await filled()
  const { state, verify } = rowsRig()
  state.n = 2
  await views.drop([dropTag('rows.BTC/USDT')])
  const { wrong, answers, passedOver } = await verify()
  expect(wrong.map(({ key }) => key)).toEqual([['ETH:x', 1]])
  // Of those that stand only one is compared.
  expect(answers - passedOver).toBe(1)
})

it('shows no answer that was dropped by its tag', async () => {
  const views = await filled()
  const shown = () => inspectEntry(rig.admin(), spotOf<[string, number]>(rows, ['BTC/USDT', 2]))
  expect((await shown())?.value).toContain('"n":1')
  expect((await shown())?.freshMs).toBeGreaterThan(0)
  await views.drop([dropTag('rows.BTC/USDT')])
  expect(await shown()).toMatchObject({ value: undefined, freshMs: 0 })
})

it('an answer that has ended is neither shown nor compared, also while there is one of another version', async () => {
  const { views } = await rig.process()
  const view = { ...rows, level: 'redis' as const, lifetimeMs: 50 }
  await views.get({ ...view, version: 2, lifetimeMs: 60_000 }, ['BTC/USDT', 1], async () => [
    { symbol: 'BTC/USDT', n: 2 },
  ])
  await views.get(view, ['BTC/USDT', 1], async () => [{ symbol: 'BTC/USDT', n: 1 }])
  const shown = () => inspectEntry(rig.admin(), spotOf<[string, number]>(rows, ['BTC/USDT', 1]))
  await eventually(async () => (await shown()) === undefined)
  const source = defineSource<[symbol: string, limit: number], { symbol: string; n: number }[]>({
    view: rows,
    keyOf: ([symbol = '', limit = '']) => [symbol, Number(limit)],
    load: async () => [{ symbol: 'BTC/USDT', n: 3 }],
  })
  const parts = { client: rig.admin(), sources: [source as unknown as AnySource], clock: systemClock }
  const report = await verifyCache({ ...parts, pauseMs: 0 })
  expect(report.wrong).toEqual([])
  expect(report.passedOver).toBe(report.answers)
})
