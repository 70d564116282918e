// A server at its memory limit refuses what would need more: it must refuse all of a key or nothing.
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import type { Member } from '../../src/projections/writer.ts'
import { keysOf, openReader } from './rig.ts'

let reader: Awaited<ReturnType<typeof openReader>>
beforeAll(async () => {
  reader = await openReader()
})
afterAll(() => reader.close())
beforeEach(() => reader.client.flushall())

const text = (key: string, version: number, value: string) => ({
  ...{ key, version, lifetimeMs: 10_000, content: { type: 'string', value } as const },
})
const bars = (count: number): Member[] => Array.from({ length: count }, (_, i) => [i, `bar ${i}`])
const limit = (bytes: number) => reader.client.config('SET', 'maxmemory', String(bytes))
const used = async () => Number(/used_memory:(\d+)/.exec(await reader.client.info('memory'))![1])
const refused = { code: 'REDIS_FULL' }
afterEach(() => limit(0))

it('a full Redis keeps every key as it was, as a whole, and takes the next state when there is room', async () => {
  const { writer, client } = reader
  const set = (version: number, members: readonly Member[]) => ({
    ...{ key: 'b', version, lifetimeMs: undefined },
    content: { type: 'sorted set', members } as const,
  })
  const range = { key: 'b', lifetimeMs: undefined, cap: 9, replaces: { from: 0, to: 9 }, begins: true }
  const entry = { key: 'gone', cap: 9, entries: [{ id: 'a', order: 1, data: 'of a' }] }
  await writer.put(text('a', 1, 'old'))
  await writer.put(set(1, bars(3)))
  await writer.append(entry)
  await client.del('gone')
  const before = await keysOf(client)
  await limit(1)
  await expect(writer.put(text('a', 2, 'new'))).rejects.toMatchObject(refused)
  await expect(writer.put(set(2, bars(4)))).rejects.toMatchObject(refused)
  await expect(writer.put(set(2, bars(4_000)))).rejects.toMatchObject(refused)
  await expect(writer.amend({ ...range, version: 2, members: bars(2) })).rejects.toMatchObject(refused)
  await expect(writer.amend({ ...range, members: bars(2) })).rejects.toMatchObject(refused)
  await expect(writer.append(entry)).rejects.toMatchObject(refused)
  await expect(writer.ticket()).rejects.toMatchObject(refused)
  expect(await keysOf(client)).toEqual(before)
  // What takes no room is done.
  expect(await writer.put({ key: 'b', version: 2, lifetimeMs: 1, content: { type: 'none' } })).toBe(true)
  expect(Object.keys(await keysOf(client))).toEqual(['a'])
  await limit(0)
  expect(await writer.put(text('a', 2, 'new'))).toBe(true)
  expect(await client.get('a')).toBe('new')
  expect(await writer.append(entry)).toBe(1)
})

it('a full Redis keeps no part of a large key that does not fit', async () => {
  const { writer, client } = reader
  const members = (count: number) => ({ type: 'sorted set', members: bars(count) }) as const
  await writer.put({ key: 'a', version: 1, lifetimeMs: undefined, content: members(3) })
  await limit((await used()) + 500_000)
  const large = { key: 'a', version: 2, lifetimeMs: undefined, content: members(40_000) }
  await expect(writer.put(large)).rejects.toMatchObject(refused)
  expect(await client.zcard('a')).toBe(3)
  expect(await client.keys('projection:draft*')).toEqual([])
})
