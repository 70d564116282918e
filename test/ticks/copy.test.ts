// Two stores that take the same live ticks from different moments on end equal once the older one was copied into the
// younger, whichever of both is ahead, also where ticks that share a time came before and after that moment.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/kernel/index.ts'
import { openTickArchive } from '../../src/ticks/archive.ts'
import { tickStores } from '../../src/ticks/cutover-ticks.ts'
import { openJsonTicks } from '../../src/ticks/json-ticks.ts'
import { openSqliteTicks } from '../../src/ticks/sqlite-ticks.ts'
import type { CopyableTicks, Tick } from '../../src/ticks/tick.ts'
import { ALWAYS, all, demandTicks } from './conformance-place.ts'
import { feed, NOON, tick } from './samples.ts'

type Kind = 'json' | 'sqlite'

let root: string
const opened: CopyableTicks[] = []
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-copy-'))
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()))
  rmSync(root, { recursive: true })
})

function open(kind: Kind, name: string = kind): CopyableTicks {
  const options = { dir: join(root, name), clock: systemClock }
  const store = kind === 'json' ? openJsonTicks(options) : openSqliteTicks(options)
  opened.push(store)
  return store
}

/** Everything, page by page, as the command does. */
async function copy(from: CopyableTicks, to: CopyableTicks): Promise<void> {
  const { parts, copy: copyPart } = tickStores({ legacy: from, current: to })
  const signal = new AbortController().signal
  for (const part of await parts('legacy')) await copyPart(part, 'current', () => undefined, signal)
}

/** Messages of a feed that tells whole seconds; each tick of a message has its number in it. */
const message = (contents: readonly number[], second: number): Tick[] =>
  contents.map((content, sequence) => tick({ time: NOON + second * 1_000, sequence, bid: 1 + content / 1e4 }))

const feedOf = (content: fc.Arbitrary<number>) =>
  fc
    .array(fc.tuple(fc.array(content, { minLength: 1, maxLength: 3 }), fc.integer({ min: 0, max: 2 })), {
      minLength: 1,
      maxLength: 12,
    })
    .map((messages) => messages.map(([contents, second]) => message(contents, second)))

const places = fc.tuple(fc.nat(12), fc.nat(12), fc.nat(12))

describe.each<[Kind, Kind]>([
  ['json', 'sqlite'],
  ['sqlite', 'json'],
])('a store of %s that is copied into one of %s', (from, to) => {
  let round = 0
  /** The one takes messages from the first on, the other from `begin`; at the copy they have come to two places. */
  async function play(messages: readonly Tick[][], begin: number, oneAt: number, otherAt: number) {
    const [one, other] = [open(from, `${from}-one-${round}`), open(to, `${to}-other-${round++}`)]
    const take = async (store: CopyableTicks, first: number, end?: number) => {
      for (const ticks of messages.slice(first, end)) await store.write(ticks)
    }
    await take(one, 0, Math.max(begin, oneAt))
    await take(other, begin, Math.max(begin, otherAt))
    await copy(one, other)
    await take(one, Math.max(begin, oneAt))
    await take(other, Math.max(begin, otherAt))
    return { one, other }
  }

  it('gives it the same ticks in the same order, wherever both are', async () => {
    let next = 0
    const different = fc.constant(0).map(() => next++)
    await fc.assert(
      fc.asyncProperty(feedOf(different), places, async (messages, [begin, oneAt, otherAt]) => {
        const { one, other } = await play(messages, begin, oneAt, otherAt)
        demandTicks(await all(other), await all(one))
      }),
      { numRuns: 60 },
    )
  })

  it('does so when it is done once more, where a feed repeats itself within one time', async () => {
    await fc.assert(
      fc.asyncProperty(feedOf(fc.nat(4)), places, async (messages, [begin, oneAt, otherAt]) => {
        const { one, other } = await play(messages, begin, oneAt, otherAt)
        await copy(one, other)
        const whole = await all(one)
        demandTicks(await all(other), whole)
        await other.write(messages.flat())
        await one.write(messages.flat())
        demandTicks(await all(other), await all(one))
      }),
      { numRuns: 60 },
    )
  })

  it('changes nothing beside the ticks of that time, among thousands', async () => {
    const before = feed(9_000, { symbols: 1, stepMs: 5 })
    const [one, other] = [open(from, 'one'), open(to, 'other')]
    await one.write(before)
    const turned = before.filter(({ time }) => time === before[4_500]!.time)
    const others = before.filter(({ time }) => time !== before[4_500]!.time)
    await other.write(others.slice(0, 3_000))
    await other.write(others.slice(3_000))
    await other.write(turned.toReversed().map((each) => ({ ...each, sequence: 0 })))
    const [symbol] = [...new Set(before.map((each) => each.symbol))]
    await copy(one, other)
    demandTicks(await all(other, symbol!), await all(one, symbol!))
    expect(await other.series()).toEqual(await one.series())
  })

  it('keeps behind it what only the other has', async () => {
    const other = open(to, 'other')
    await other.write(message([2, 3, 3, 4], 0))
    const written = await other.copyIn([...message([1, 2], 0), ...message([5], 1)])
    expect(written).toEqual({ stored: 2, duplicate: 1 })
    expect((await all(other)).map(({ bid, sequence }) => [sequence, bid])).toEqual([
      [0, 1.0001],
      [1, 1.0002],
      [2, 1.0003],
      [3, 1.0003],
      [4, 1.0004],
      [0, 1.0005],
    ])
  })
})

describe('ticks that are laid out anew', () => {
  const DAY = '2026-01-19'

  it('leave a day whose file passes its verification', async () => {
    const store = open('sqlite')
    for (const content of [3, 1, 2]) await store.write(message([content], 0))
    await store.copyIn(message([1, 2], 0))
    const archive = openTickArchive({ dir: join(root, 'sqlite'), clock: systemClock })
    try {
      expect(archive.verify(DAY)).toMatchObject({ ticks: 3, problems: [] })
      expect(archive.compress(DAY)).toMatchObject({ ticks: 3, state: 'archived' })
    } finally {
      archive.close()
    }
  })

  it('are refused in an archive, and taken once it is restored', async () => {
    const store = open('sqlite')
    await store.write(message([2, 1], 0))
    const archive = openTickArchive({ dir: join(root, 'sqlite'), clock: systemClock })
    try {
      archive.compress(DAY)
      await expect(store.copyIn(message([1, 2], 0))).rejects.toMatchObject({ code: 'TICKS_ARCHIVED' })
      expect(await store.copyIn(message([2, 1, 4], 0))).toEqual({ stored: 1, duplicate: 2 })
      archive.restore(DAY)
      expect(await store.copyIn(message([1, 2], 0))).toEqual({ stored: 0, duplicate: 2 })
    } finally {
      archive.close()
    }
    expect((await all(store)).map(({ bid }) => bid)).toEqual([1.0001, 1.0002, 1.0004])
  })

  it('are read whole while their file is replaced again and again', async () => {
    const [store, reader] = [open('json'), open('json')]
    const others = feed(1_000, { symbols: 1 }).map((each) => ({ ...each, symbol: 'EURUSD', source: 'other' }))
    await store.write(others)
    let isCopying = true
    const copying = (async () => {
      for (let n = 0; n < 60; n++) await store.copyIn(message([n, n + 1], 0))
      isCopying = false
    })()
    while (isCopying) {
      const ticks = await reader.range({ symbol: 'EURUSD', source: 'other', ...ALWAYS })
      expect(ticks.length).toBe(others.length)
    }
    await copying
  })

  it('are once again after a kill between two files of one day left them in both', async () => {
    const store = open('json')
    await store.write(message([1], 0))
    const path = (day: string) => join(root, 'json', 'EURUSD', `${day}.json`)
    // The reference names a file by the day at its own place, so the day before may hold ticks of this one.
    const before = readFileSync(path(DAY))
    await store.write(message([1, 7], 0))
    await store.copyIn(message([1, 2], 0))
    writeFileSync(path('2026-01-18'), before)
    expect(await all(store)).toHaveLength(4)
    await store.copyIn(message([1, 2], 0))
    expect((await all(store)).map(({ bid, sequence }) => [sequence, bid])).toEqual([
      [0, 1.0001],
      [1, 1.0002],
      [2, 1.0007],
    ])
  })

  it('leave every other tick of a file of the reference as it is, also where it says no sequence', async () => {
    const store = open('json')
    await store.write([tick({ time: NOON }), ...message([2, 1], 1)])
    const [folder] = readdirSync(join(root, 'json')).filter((name) => name === 'EURUSD')
    const path = join(root, 'json', folder!, `${DAY}.json`)
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll(/,"sequence":\d+/g, ''))
    await store.copyIn(message([1, 2], 1))
    expect((await all(store)).map(({ bid, sequence }) => [sequence, bid])).toEqual([
      [0, 1.0848],
      [0, 1.0001],
      [1, 1.0002],
    ])
    expect(JSON.parse(readFileSync(path, 'utf8'))[0]).not.toHaveProperty('sequence')
    expect(readdirSync(join(root, 'json', folder!))).toEqual([`${DAY}.json`])
  })
})
