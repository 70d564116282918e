// A key is there as a whole or as it was before, the newer state stays whoever comes last, and no part of it lives longer
// than the rest.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  entryOf,
  familyOf,
  PROJECTION_FAMILIES,
  PROJECTIONS,
  type Projection,
  projectionKeys,
  projections,
} from '../../src/catalog/index.ts'
import { decimal, SETTINGS } from '../../src/kernel/index.ts'
import { jsonNumber } from '../../src/projections/json-number.ts'
import { type Member, openWriter } from '../../src/projections/writer.ts'
import { closeRedis, connectRedis, type Redis, ready } from '../../src/redis/index.ts'
import { slotOf } from '../../src/redis/slots.ts'
import { keysOf, openReader } from './rig.ts'

let reader: Awaited<ReturnType<typeof openReader>>
beforeAll(async () => {
  reader = await openReader()
})
afterAll(() => reader.close())
beforeEach(() => reader.client.flushall())

const text = (key: string, version: number, value: string, lifetimeMs: number | undefined = 10_000) => ({
  ...{ key, version, lifetimeMs, content: { type: 'string', value } as const },
})
const bars = (count: number): Member[] => Array.from({ length: count }, (_, i) => [i, `bar ${i}`])

/** A server that evicts the first drafts after something was written to them. */
const losingDrafts = (client: Redis, times: number): Redis =>
  new Proxy(client, {
    get(target, name) {
      const value = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return async (...args: unknown[]) => {
        const answer = await value.apply(target, args)
        const draft = args.find((arg) => typeof arg === 'string' && arg.startsWith('projection:draft'))
        if (draft !== undefined && times-- > 0) await target.del(draft as string)
        return answer
      }
    },
  })

describe('a key', () => {
  it('is of each type what it says, lives as long as it says, and is no key where it is empty', async () => {
    const { writer, client } = reader
    await writer.put(text('a', 1, 'one'))
    await writer.put({
      ...{ key: 'b', version: 1, lifetimeMs: undefined },
      content: { type: 'hash', fields: [['BTC', '1']] },
    })
    await writer.put({
      key: 'c',
      version: 1,
      lifetimeMs: 5_000,
      content: { type: 'list', items: ['x', 'y'] },
    })
    await writer.put({
      ...{ key: 'd', version: 1, lifetimeMs: 5_000 },
      content: {
        type: 'sorted set',
        members: [
          [-1.5, 'low'],
          [2, 'high'],
        ],
      },
    })
    await writer.put({ key: 'e', version: 1, lifetimeMs: 5_000, content: { type: 'list', items: [] } })
    expect(await keysOf(client)).toEqual({
      a: { type: 'string', content: 'one' },
      b: { type: 'hash', content: [['BTC', '1']] },
      c: { type: 'list', content: ['x', 'y'] },
      d: { type: 'zset', content: ['low', '-1.5', 'high', '2'] },
    })
    expect(await client.pttl('b')).toBe(-1)
    for (const [key, most] of [
      ['a', 10_000],
      ['c', 5_000],
    ] as const) {
      const left = await client.pttl(key)
      expect(left).toBeGreaterThan(0)
      expect(left).toBeLessThanOrEqual(most)
    }
    await writer.put({ key: 'b', version: 2, lifetimeMs: undefined, content: { type: 'hash', fields: [] } })
    expect(await client.exists('b')).toBe(0)
  })

  it('keeps the newer state when a writer that was overtaken ends last', async () => {
    const { writer, client } = reader
    const [early, late] = [await writer.ticket(), await writer.ticket()]
    expect(late).toBeGreaterThan(early)
    expect(await writer.put(text('a', late, 'new'))).toBe(true)
    expect(await writer.put(text('a', early, 'old'))).toBe(false)
    expect(await client.get('a')).toBe('new')
    // Also where the newer state is that there is nothing.
    const gone = {
      key: 'a',
      version: await writer.ticket(),
      lifetimeMs: 1_000,
      content: { type: 'none' } as const,
    }
    await writer.put(gone)
    expect(await writer.put(text('a', late, 'new'))).toBe(false)
    expect(await client.exists('a')).toBe(0)
  })

  it('of any size is written in one step: a reader never sees a part of it', async () => {
    const { writer, client, server } = reader
    const other = connectRedis(server.url, 'writer')
    await ready(other)
    const counts = new Set<number>()
    let done = false
    const looking = (async () => {
      while (!done) counts.add(await other.zcard('a'))
    })()
    for (let round = 0; round < 6; round++) {
      const version = await writer.ticket()
      const members = bars(round % 2 === 0 ? 700 : 12_000)
      await writer.put({ key: 'a', version, lifetimeMs: undefined, content: { type: 'sorted set', members } })
    }
    done = true
    await looking
    await closeRedis(other)
    for (const count of counts) expect([0, 700, 12_000]).toContain(count)
    expect(await client.zcard('a')).toBe(12_000)
    expect(await client.pttl('a')).toBe(-1)
    expect(await client.keys('projection:draft*')).toEqual([])
    // One that is overtaken while it is built leaves nothing behind either.
    await writer.put(text('a', (await writer.ticket()) + 1_000_000, 'new'))
    const late = { key: 'a', version: await writer.ticket(), lifetimeMs: undefined }
    expect(await writer.put({ ...late, content: { type: 'sorted set', members: bars(5_000) } })).toBe(false)
    expect(await client.get('a')).toBe('new')
    expect(await client.keys('projection:draft*')).toEqual([])
  })

  it('is begun again, and never published without its beginning, when its draft ends in between', async () => {
    const { client } = reader
    const one = { key: 'a', lifetimeMs: undefined }
    const content = { type: 'sorted set', members: bars(5_000) } as const
    const once = openWriter(async () => losingDrafts(client, 1))
    expect(await once.put({ ...one, version: 1, content })).toBe(true)
    expect(await client.zcard('a')).toBe(5_000)
    const always = openWriter(async () => losingDrafts(client, Number.POSITIVE_INFINITY))
    const less = { type: 'sorted set', members: bars(3_000) } as const
    await expect(always.put({ ...one, version: 2, content: less })).rejects.toThrow(
      /lost what is built beside/,
    )
    expect(await client.zcard('a')).toBe(5_000)
    expect(await client.keys('projection:draft*')).toEqual([])
  })

  it('of a hash never lives longer because one of its fields was written', async () => {
    const { writer, client } = reader
    const fields = [
      ['BTC', '1'],
      ['ETH', '2'],
    ] as const
    const put = (version: number, lifetimeMs: number) =>
      writer.put({ key: 'a', version, lifetimeMs, content: { type: 'hash', fields } })
    await put(1, 60_000)
    await put(2, 1_000)
    expect(await client.pttl('a')).toBeLessThanOrEqual(1_000)
  })
})

describe('a range of a sorted set', () => {
  const amend = (version: number, from: number, to: number, members: readonly Member[], begins = false) =>
    reader.writer.amend({
      ...{ key: 'a', version, lifetimeMs: undefined, cap: 5, replaces: { from, to }, members, begins },
    })

  it('is replaced alone, the oldest go beyond the cap, and an older state changes nothing', async () => {
    const { client } = reader
    expect(await amend(5, 0, 9, bars(4), true)).toBe('written')
    expect(
      await amend(6, 2, 3, [
        [2, 'bar 2, grown'],
        [3, 'bar 3'],
      ]),
    ).toBe('written')
    expect(
      await amend(7, 4, 6, [
        [4, 'bar 4'],
        [5, 'bar 5'],
      ]),
    ).toBe('written')
    const now = ['bar 1', 'bar 2, grown', 'bar 3', 'bar 4', 'bar 5']
    expect(await client.zrange('a', '0', '-1')).toEqual(now)
    expect(await amend(6, 0, 9, [[5, 'old']])).toBe('overtaken')
    expect(await client.zrange('a', '0', '-1')).toEqual(now)
  })

  it('begins anew where the key is of another type', async () => {
    await reader.client.set('a', 'of somebody else')
    expect(await amend(1, 2, 3, bars(2))).toBe('absent')
    expect(await amend(1, 0, 9, bars(2), true)).toBe('written')
    expect(await reader.client.zrange('a', '0', '-1')).toEqual(['bar 0', 'bar 1'])
  })

  it('of a key that is gone is refused: what is missing in front of it would not be seen', async () => {
    expect(await amend(1, 2, 3, bars(2))).toBe('absent')
    expect(await reader.client.exists('a')).toBe(0)
  })
})

it('a stream takes each entry once, in order, and begins again after it was deleted', async () => {
  const { writer, client } = reader
  const entries = (...ids: string[]) => ids.map((id, order) => ({ id, order, data: `of ${id}` }))
  const append = (...ids: string[]) => writer.append({ key: 's', cap: 10, entries: entries(...ids) })
  const ids = async () =>
    ((await client.xrange('s', '-', '+')) as [string, string[]][]).map(([, fields]) => fields[1])
  expect(await append('a', 'b')).toBe(2)
  expect(await append('a', 'b', 'c')).toBe(1)
  expect(await ids()).toEqual(['a', 'b', 'c'])
  await client.del('s')
  expect(await append('b', 'c')).toBe(2)
  expect(await ids()).toEqual(['b', 'c'])
})

describe('a name', () => {
  it('has its parts encoded, and none of them empty', () => {
    const { ticker } = projections
    expect(ticker.key({ exchange: 'sim-alpha', symbol: 'BTC/USDT' })).toBe('ticker:sim-alpha:BTC/USDT')
    const odd = ticker.key({ exchange: 'a:b', symbol: '{x} y' })
    expect(odd).toBe('ticker:a%3Ab:%7Bx%7D%20y')
    expect(odd).not.toBe(ticker.key({ exchange: 'a', symbol: 'b:{x} y' }))
    expect(() => ticker.key({ exchange: '', symbol: 'BTC/USDT' })).toThrow(/empty exchange/)
  })

  it('of every projection stands in the catalog, as do those of the writers', () => {
    for (const { pattern, type, family } of PROJECTIONS) {
      const key = pattern.replaceAll(/<\w+>/g, 'BTC/USDT')
      expect(familyOf(key), key).toBe(family)
      expect(entryOf(key), key).toMatchObject({ type })
      expect(entryOf(projectionKeys.version(key)), key).toBeDefined()
      expect(entryOf(projectionKeys.draft(key, 'w1')), key).toBeDefined()
    }
  })

  it('has what is kept beside it in its slot of a cluster, whatever its parts are', () => {
    for (const { key } of [projections.ticker, projections.bulkTickers] as Projection[]) {
      const name = key({ exchange: '{a}:b', symbol: 'c}d{/USDT' })
      for (const beside of [
        projectionKeys.version(name),
        projectionKeys.draft(name, 'w'),
        projectionKeys.appended(name),
      ]) {
        expect(slotOf(beside), beside).toBe(slotOf(name))
      }
    }
  })

  it('of a family is what PROJECTIONS takes', () => {
    const { shape } = SETTINGS.PROJECTIONS
    for (const family of PROJECTION_FAMILIES) expect(shape.safeParse(family).success, family).toBe(true)
    expect(shape.safeParse(PROJECTION_FAMILIES.join()).success).toBe(true)
    expect(shape.safeParse('').success).toBe(true)
    expect(shape.safeParse('books').success).toBe(false)
  })
})

it('money is written as an exact JSON number', () => {
  const text = (value: string) => JSON.stringify({ value: jsonNumber(decimal(value)) })
  expect(text('12345678901234567.89')).toBe('{"value":12345678901234567.89}')
  expect(text('0.10')).toBe('{"value":0.1}')
  expect(text('-0')).toBe('{"value":0}')
  expect(text('1e-9')).toBe('{"value":0.000000001}')
})
