// The files of the JSON store: the reference's format both ways, and what interrupts leave.
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/kernel/index.ts'
import type { Repair } from '../../src/ticks/json-file.ts'
import { openJsonTicks } from '../../src/ticks/json-ticks.ts'
import type { TickStore } from '../../src/ticks/tick.ts'
import { all, demandTicks, written } from './conformance-place.ts'
import { DAY_MS, feed, NOON, tick } from './samples.ts'

const TODAY = '2026-01-19.json'

let dir: string
let repairs: Repair[]
let open: TickStore[]

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sluice-json-'))
  repairs = []
  open = []
})
afterEach(async () => {
  for (const store of open) await store.close()
  rmSync(dir, { recursive: true })
})

function openStore(): TickStore {
  const store = openJsonTicks({ dir, clock: systemClock, onRepair: (repair) => repairs.push(repair) })
  open.push(store)
  return store
}

const path = (name = TODAY, symbol = 'EURUSD') => join(dir, symbol, name)
const textOf = (name?: string, symbol?: string) => readFileSync(path(name, symbol), 'utf8')

function put(text: string | Buffer, name?: string): void {
  mkdirSync(dirname(path(name)), { recursive: true })
  writeFileSync(path(name), text)
}

const asReference = (timestamp: string, bid = 1.08, more: object = {}) =>
  JSON.stringify({
    ...{ broker_id: 'default', symbol: 'EURUSD', bid, ask: 1.09, spread: 1.09 - bid, timestamp, lp: 'YOFX' },
    ...more,
  })

describe('a file', () => {
  it('is an array of the reference’s objects after every write', async () => {
    const store = openStore()
    await store.write([tick({ broker: 'default', nanos: 268_500 })])
    const first = { broker_id: 'default', symbol: 'EURUSD', bid: 1.0848, ask: 1.085, spread: 1.085 - 1.0848 }
    const wanted = [{ ...first, timestamp: '2026-01-19T12:00:00.000268500Z', lp: 'YOFX', sequence: 0 }]
    expect(JSON.parse(textOf())).toEqual(wanted)
    await store.write([tick({ time: NOON + 1, bidSize: 5, flags: 1 }), tick({ bid: 1.0848, sequence: 3 })])
    const [one, two, three, ...others] = JSON.parse(textOf())
    expect(one).toEqual(wanted[0])
    expect(two).toMatchObject({ timestamp: '2026-01-19T12:00:00.001000000Z', bid_size: 5, flags: 1 })
    expect(three).toMatchObject({ broker_id: '', sequence: 3 })
    expect(others).toEqual([])
    expect(await store.write([tick({ symbol: 'BTC/USDT' })])).toEqual(written(1))
    expect(JSON.parse(textOf(TODAY, 'BTC%2FUSDT'))).toHaveLength(1)
  })

  it('grows at its end, past 50,000 ticks, and nothing in it is written again', async () => {
    const store = openStore()
    const ticks = feed(51_000, { symbols: 1, stepMs: 100 })
    for (let at = 0; at < ticks.length; at += 17_000) {
      const before = at === 0 ? '[\n]\n' : textOf(TODAY, 'SYM0')
      await store.write(ticks.slice(at, at + 17_000))
      expect(textOf(TODAY, 'SYM0').startsWith(before.slice(0, before.lastIndexOf('\n]')))).toBe(true)
    }
    const { size } = statSync(path(TODAY, 'SYM0'))
    demandTicks(await all(store, 'SYM0'), ticks)
    const late = { ...ticks[30_001]!, nanos: 77 }
    expect(await store.write([late, ticks[100]!, ticks[30_000]!])).toEqual(written(1, 2))
    expect(statSync(path(TODAY, 'SYM0')).size - size).toBeLessThan(300)
    demandTicks(await openStore().range({ symbol: 'SYM0', from: late.time, to: late.time + 1, limit: 1 }), [
      ...[late, ticks[30_001]!].sort((a, b) => a.nanos - b.nanos).slice(0, 1),
    ])
  })
})

describe('a file of the reference', () => {
  it('is read with any zone and 3 to 9 digits, equal times in the order of the file', async () => {
    const times = ['17:30:00.123+05:30', '17:30:00.123+05:30', '12:00:00.1234567Z', '12:00:00.123Z']
    const more = [...times, '07:00:00.123456789-05:00'].map((time, n) =>
      asReference(`2026-01-19T${time}`, n + 1),
    )
    put(`[${more.join(',')}]`)
    const found = (await all(openStore())).map(({ time, nanos, sequence, bid }) => [
      time - NOON,
      nanos,
      sequence,
      bid,
    ])
    expect(found).toEqual([
      ...[
        [123, 0, 0, 1],
        [123, 0, 1, 2],
        [123, 0, 2, 4],
      ],
      ...[
        [123, 456_700, 0, 3],
        [123, 456_789, 0, 5],
      ],
    ])
  })

  it('is appended to behind what it holds, however it is laid out', async () => {
    const text = `[\n  ${asReference('2026-01-19T12:00:00Z')}\n,\t${asReference('2026-01-19T12:00:00Z', 1.07)}   \n\n\n ]\r\n${' '.repeat(400)}`
    put(text)
    const store = openStore()
    const known = tick({ bid: 1.07, ask: 1.09, broker: 'default' })
    expect(await store.write([known, { ...known, bid: 1.06 }])).toEqual(written(1, 1))
    expect(textOf().startsWith(text.slice(0, text.lastIndexOf('}') + 1))).toBe(true)
    expect(JSON.parse(textOf()).map(({ bid }: { bid: number }) => bid)).toEqual([1.08, 1.07, 1.06])
    expect((await all(store)).map(({ sequence }) => sequence)).toEqual([0, 1, 2])
  })

  it('that is named by the day at its own place is found under the UTC day of its ticks', async () => {
    put(
      `[${asReference('2026-01-20T01:00:00+05:30')},${asReference('2026-01-20T09:00:00+05:30')}]`,
      '2026-01-20.json',
    )
    const store = openStore()
    const evening = Date.UTC(2026, 0, 19, 19, 30)
    expect(
      (await store.range({ symbol: 'EURUSD', from: NOON, to: NOON + DAY_MS / 2 })).map(({ time }) => time),
    ).toEqual([evening])
    expect((await store.series('2026-01-19')).map(({ ticks, first }) => [ticks, first])).toEqual([
      [1, evening],
    ])
    // The tick of noon lies in a file of its own day, whose newest it is.
    expect(await store.write([tick()])).toEqual(written(1))
    const same = tick({ time: evening, bid: 1.08, ask: 1.09, broker: 'default' })
    expect(await store.write([same, { ...same, bid: 1 }])).toEqual(written(1, 1))
    expect((await store.recent('EURUSD', 3)).map(({ sequence }) => sequence)).toEqual([0, 1, 0])
  })

  it.each([
    ['a tick of another symbol', asReference('2026-01-19T12:00:00Z', 1, { symbol: 'GBPUSD' })],
    ['a time without a zone', asReference('2026-01-19T12:00:00')],
    ['a price that is a text', asReference('2026-01-19T12:00:00Z', 1, { bid: '1' })],
    ['no comma', `${asReference('2026-01-19T12:00:00Z')} ${asReference('2026-01-19T12:00:00Z')}`],
    ['something between its objects', `${asReference('2026-01-19T12:00:00Z')},5`],
    ['a quote too many', asReference('2026-01-19T12:00:00Z').replace('"bid"', '"bid')],
    ['a bracket too few', asReference('2026-01-19T12:00:00Z').slice(0, -1)],
    ['a second array', `${asReference('2026-01-19T12:00:00Z')}],[`],
  ])('with %s is refused, and left as it is', async (_, inside) => {
    const text = `[${inside},${asReference('2026-01-19T12:00:01Z')}]`
    put(text)
    const store = openStore()
    const refused = { code: 'TICKS_DAMAGED', message: expect.stringContaining(path()) }
    await expect(all(store)).rejects.toMatchObject(refused)
    await expect(store.write([tick()])).rejects.toMatchObject(refused)
    expect(textOf()).toBe(text)
    expect(repairs).toEqual([])
  })
})

describe('what others do to a file', () => {
  it('is seen: appended, replaced, changed in place, removed', async () => {
    const store = openStore()
    const line = (second: number, bid: number) => asReference(`2026-01-19T12:00:0${second}Z`, bid)
    const bids = async () => (await all(store)).map(({ bid }) => bid)
    put(`[${line(1, 1)}]`)
    expect(await bids()).toEqual([1])
    put(`[${line(1, 1)},${line(2, 2)}]`)
    expect(await bids()).toEqual([1, 2])
    put(`[${line(1, 7)},${line(2, 2)},${line(3, 3)}]`)
    expect(await bids()).toEqual([7, 2, 3])
    writeFileSync(path('new'), `[${line(1, 1)}]`)
    renameSync(path('new'), path())
    expect(await bids()).toEqual([1])
    put(`[${line(1, 9)}]`)
    expect(await bids()).toEqual([9])
    rmSync(path())
    expect(await bids()).toEqual([])
    expect(await store.write([tick({ bid: 4 })])).toEqual(written(1))
    expect(await bids()).toEqual([4])
  })
})

describe('a torn end', () => {
  const ticks = [0, 1, 2].map((second) => tick({ time: NOON + second * 1_000 }))

  /** The file of these ticks, and where each object in it ends. */
  async function wholeFile() {
    await openStore().write(ticks)
    const text = textOf()
    return { text, ends: [...text.matchAll(/}/g)].map(({ index }) => index + 1) }
  }

  it('is cut to the last whole tick, wherever it was torn, and told', async () => {
    const { text, ends } = await wholeFile()
    for (let length = 0; length <= text.trimEnd().length - 1; length += length > ends[1]! ? 4 : 19) {
      put(text.slice(0, length))
      const kept = ends.filter((end) => end <= length).length
      const store = openStore()
      demandTicks(await all(store), ticks.slice(0, kept))
      expect(JSON.parse(textOf())).toHaveLength(kept)
      const end = kept > 0 ? ends[kept - 1]! : Math.min(1, length)
      expect(repairs).toEqual([{ path: path(), bytes: length - end }])
      repairs = []
      expect(await store.write(ticks)).toEqual(written(3 - kept, kept))
      demandTicks(await all(openStore()), ticks)
      expect(JSON.parse(textOf())).toHaveLength(3)
    }
  })

  it.each([
    ['behind the last tick', (text: string) => text.slice(0, text.lastIndexOf('}') + 1)],
    ['inside of a tick', (text: string) => `${text.slice(0, text.lastIndexOf('}') + 1)},\n{"broker`],
    ['behind the array', (text: string) => text],
  ])('of bytes that never reached the disk %s is cut', async (_, cut) => {
    const { text } = await wholeFile()
    put(Buffer.concat([Buffer.from(cut(text)), Buffer.alloc(200_000)]))
    const store = openStore()
    expect(await store.write([tick({ time: NOON + 3_000 })])).toEqual(written(1))
    expect(JSON.parse(textOf())).toHaveLength(4)
    expect(repairs).toHaveLength(1)
  })

  it('with whole ticks behind it is damage, and refused', async () => {
    const { text, ends } = await wholeFile()
    const torn = Buffer.from(text)
    torn.fill(0, ends[0]! - 20, ends[0]! + 20)
    put(torn)
    await expect(openStore().write([tick({ bid: 5 })])).rejects.toMatchObject({ code: 'TICKS_DAMAGED' })
    expect(readFileSync(path()).equals(torn)).toBe(true)
  })
})
