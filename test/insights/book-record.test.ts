// What a record leaves in the tables: once, the newest by its own time, and what it tells to the caches.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { decodeDrops } from '../../src/cache/drops.ts'
import type { InsightRecord } from '../../src/catalog/index.ts'
import type { Tx } from '../../src/db/index.ts'
import { bookRecord } from '../../src/insights/book-record.ts'
import { forgetMemory, lastCycleOf, latestScoresOf, levelsOf, messagesOf } from '../../src/insights/index.ts'
import { drivers, openTestDatabase, type TestDatabase } from '../support/database.ts'
import { at, KINDS, NOW, RECORDS } from './records.ts'

const TABLES = [
  ...(['conversationMessages', 'decisionCycles', 'traderStates', 'globalScores', 'srLevels'] as const),
  ...(['agentAnalyses', 'agentMemory', 'userPreferences', 'agentLearnings'] as const),
]

const rowsOf = async ({ sql, t }: Tx) => {
  const found: Record<string, unknown[]> = {}
  for (const name of TABLES) {
    const rows = await sql.select().from(t[name] as Tx['t']['globalScores'])
    found[name] = rows.map(({ change: _, ...row }) => row)
  }
  return found
}

describe.each(drivers)('a record on %s', (driver) => {
  let test: TestDatabase
  let events = 0
  beforeEach(async () => {
    test = await openTestDatabase(driver)
  })
  afterEach(() => test.close())
  const book = (record: InsightRecord, eventId = `event ${++events}`) =>
    test.database.write((tx) => bookRecord(tx, eventId, NOW, record))
  const rows = () => test.database.read(rowsOf)

  it('is one row, whatever comes again', async () => {
    for (const [n, kind] of KINDS.entries()) {
      expect(await book(RECORDS[kind], `same ${kind}`)).toBe('booked')
      const once = await rows()
      expect(Object.values(once).flat()).toHaveLength(n + 1)
      expect(await book(RECORDS[kind], `same ${kind}`)).toBe('duplicate')
      // The bus has forgotten its id, and it was sent once more.
      await book(RECORDS[kind])
      expect(await rows(), kind).toEqual(once)
    }
  })

  it('never gives way to an older one, and does to one of the same time', async () => {
    const changes = {
      ...{ decision: { trace: 'other' }, trader: { allocationPct: '13' }, score: { score: 1 } },
      ...{ levels: { levels: [] }, memory: { value: 1 }, preference: { value: 1 } },
      learning: { accuracy: 1 },
    }
    const kinds = Object.keys(changes) as (keyof typeof changes)[]
    for (const kind of kinds) await book(RECORDS[kind])
    for (const kind of kinds) {
      const first = await rows()
      expect(await book(at(kind, -1, changes[kind])), kind).toBe('older')
      expect(await rows()).toEqual(first)
      expect(await book(at(kind, 0, changes[kind])), kind).toBe('booked')
      expect(await rows()).not.toEqual(first)
    }
    expect(Object.values(await rows()).flat()).toHaveLength(kinds.length)
  })

  it('keeps every message and every analysis, and answers the newest', async () => {
    await book(at('message', 0, { content: 'second' }))
    await book(at('message', -1_000, { content: 'first' }))
    await book(at('message', 0, { content: 'third, at the same time' }))
    const { database } = test
    const said = await database.read((tx) => messagesOf(tx, 'gpt-5', 2))
    expect(said.map(({ content }) => content)).toEqual(['third, at the same time', 'second'])
    await book(at('analysis', 5))
    await book(at('analysis', -5))
    expect((await rows())['agentAnalyses']).toHaveLength(2)
    await book(at('decision', 9, { cycle: 8 }))
    await book(at('decision', 3, { cycle: 9 }))
    expect(await database.read((tx) => lastCycleOf(tx, 'gpt-5'))).toMatchObject({ cycle: 8 })
    expect(await database.read((tx) => lastCycleOf(tx, 'nobody'))).toBeNull()
    await book(RECORDS.score)
    await book(at('score', -7_200_000, { symbol: 'INFY' }))
    const scores = await database.read((tx) => latestScoresOf(tx, 5))
    // Each ends by its own age: one that was computed anew makes no other look new.
    expect(scores.map(({ symbol, endsAt }) => [symbol, endsAt - NOW])).toEqual([
      ['TCS', 21_600_000],
      ['INFY', 14_400_000],
    ])
    for (const timeframe of ['15m', '4h', '1D']) await book(at('levels', 0, { timeframe }))
    const levels = await database.read((tx) => levelsOf(tx, 'TCS'))
    expect(levels.map(({ timeframe, endsAt }) => [timeframe, (endsAt - NOW) / 3_600_000])).toEqual([
      ...[['15m', 1] as const, ['1D', 4] as const, ['4h', 2] as const],
    ])
  })

  it('drops the answers that it changes, and no others', async () => {
    for (const kind of KINDS) await book(RECORDS[kind])
    await book(at('score', -1))
    const told = await test.database.read(({ sql, t }) => sql.select().from(t.outbox).orderBy(t.outbox.id))
    expect(told.flatMap(({ data }) => decodeDrops(data) ?? [])).toEqual([
      { tag: 'messages:gpt-5' },
      { place: 'cycle:gpt-5' },
      { tag: 'scores' },
      { place: 'levels:TCS' },
    ])
  })

  it('of memory is forgotten once it has ended, and of nothing else', async () => {
    for (const kind of KINDS) await book(RECORDS[kind])
    await book(at('memory', 0, { key: 'longer', ttlMs: 3_600_001 }))
    const go = new AbortController().signal
    expect(await forgetMemory(test.database, NOW + 3_599_999, go)).toBe(0)
    expect(await forgetMemory(test.database, NOW + 3_600_000, go)).toBe(1)
    const left = await rows()
    expect(left['agentMemory']).toMatchObject([{ key: 'longer' }])
    expect(Object.values(left).flat()).toHaveLength(KINDS.length)
  })
})

it('shows no change before those in front of it, however many write at once', async () => {
  const test = await openTestDatabase('postgres')
  const begun = Promise.withResolvers<void>()
  const held = Promise.withResolvers<void>()
  const changes = () => test.database.read(({ sql, t }) => sql.select().from(t.globalScores))
  try {
    const first = test.database.write(async (tx) => {
      await bookRecord(tx, 'a', NOW, RECORDS.score)
      begun.resolve()
      await held.promise
    })
    await begun.promise
    let isSecondDone = false
    const second = test.database
      .write((tx) => bookRecord(tx, 'b', NOW, at('score', 0, { symbol: 'INFY' })))
      .then(() => {
        isSecondDone = true
      })
    // Another kind is not held up, and shows that the server had its turn.
    await test.database.write((tx) => bookRecord(tx, 'c', NOW, RECORDS.levels))
    expect(isSecondDone).toBe(false)
    expect(await changes()).toEqual([])
    held.resolve()
    await Promise.all([first, second])
    expect((await changes()).map(({ symbol, change }) => [symbol, change])).toEqual([
      ['TCS', 1],
      ['INFY', 2],
    ])
  } finally {
    held.resolve()
    await test.close()
  }
})
