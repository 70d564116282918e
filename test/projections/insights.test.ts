// What models and analyses say, as readers of the reference systems see it: in the forms that they know, kept as a rebuild
// gives it, and never for longer than it is good.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type InsightRecord, PROJECTION_FAMILIES, type ProjectionFamily } from '../../src/catalog/index.ts'
import { bookRecord } from '../../src/insights/book-record.ts'
import { type Clock, systemClock } from '../../src/kernel/index.ts'
import { openInsightSource } from '../../src/projections/insight-source.ts'
import { at, KINDS, NOW, RECORDS } from '../insights/records.ts'
import { drivers, openTestDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { keysOf, openReader } from './rig.ts'

let reader: Awaited<ReturnType<typeof openReader>>
beforeAll(async () => {
  reader = await openReader()
})
afterAll(() => reader.close())

const GO_ON = new AbortController().signal
const HOUR = 3_600_000

describe.each(drivers)('on %s, the keys of insights', (driver) => {
  let test: TestDatabase
  let events = 0
  /** Ten minutes after the records. */
  let now = 0
  const clock: Clock = { ...systemClock, now: () => now }
  beforeEach(async () => {
    test = await openTestDatabase(driver)
    now = NOW + 600_000
    await reader.client.flushall()
  })
  afterEach(() => test.close())
  const book = async (...records: InsightRecord[]) => {
    for (const record of records) {
      await test.database.write((tx) => bookRecord(tx, `event ${++events}`, NOW, record))
    }
  }
  const source = (families: readonly ProjectionFamily[] = PROJECTION_FAMILIES, of: Clock = clock) =>
    openInsightSource({
      ...{ writer: reader.writer, database: test.database, clock: of },
      families: new Set(families),
    })
  const livesOf = async () => {
    const found: Record<string, number> = {}
    for (const key of Object.keys(await keysOf(reader.client))) found[key] = await reader.client.pttl(key)
    return found
  }

  it('are what the records say, each as long as it is good', async () => {
    await book(...KINDS.map((kind) => RECORDS[kind]))
    for (let n = 1; n <= 25; n++) await book(at('message', n * 1_000, { content: `${n}`, role: 'assistant' }))
    await book(at('learning', 1, { pattern: 'flag', accuracy: 0.5 }), at('decision', -1, { cycle: 8 }))
    await source().rebuild(GO_ON)
    const { client } = reader
    const said = (await client.lrange('nof0:conversations:gpt-5', 0, -1)).map((text) => JSON.parse(text))
    expect(said).toHaveLength(20)
    // As they were said: what is appended last is the newest.
    expect(said[0]).toEqual({ role: 'assistant', content: '6', timestamp: NOW / 1_000 + 6 })
    expect(said.at(-1).content).toBe('25')
    expect(JSON.parse((await client.get('nof0:decision:last:gpt-5'))!)).toEqual({
      ...{ model_id: 'gpt-5', cycle_number: 7, prompt_digest: 'd1', cot_trace: 'because', success: true },
      ...{ decisions: [{ symbol: 'BTC', action: 'hold' }], error_message: null },
      executed_at: new Date(NOW).toISOString(),
    })
    expect(await client.hgetall('nof0:trader:t1:state')).toEqual({
      ...{ exchange_provider: 'hyper', market_provider: 'hyper', allocation_pct: '12.5' },
      ...{ cooldown: '{"BTC":5}', risk_guards: '{"maxPositions":3}' },
      ...{ last_decision_at: new Date(NOW - 5).toISOString(), updated_at: new Date(NOW).toISOString() },
    })
    expect(await client.hgetall('scores:global:TCS')).toEqual({
      ...{ score: '71.5', timestamp: new Date(NOW).toISOString(), agent_scores_json: '{"technical":80}' },
    })
    expect(await client.get('scores:cache_timestamp')).toBe(new Date(NOW).toISOString())
    expect(await client.get('sr:TCS:15m')).toBe('{"support":[99.5]}')
    expect(await client.hgetall('context:analysis:TCS:technical')).toEqual({
      ...{ score: '80', confidence: '0.7', signals: '["golden cross"]', reasoning: 'trend' },
      created_at: new Date(NOW).toISOString(),
    })
    expect(await client.get('context:memory:session:u%3A1')).toBe('{"step":2}')
    expect(await client.get('context:user:u1:risk')).toBe('{"profile":"low"}')
    const learned = await client.hgetall('context:learning:technical')
    expect(Object.keys(learned).sort()).toEqual(['double bottom', 'flag'])
    expect(JSON.parse(learned['flag']!)).toEqual({
      ...{ pattern: 'flag', accuracy: 0.5, sample_size: 40 },
      last_updated: new Date(NOW + 1).toISOString(),
    })
    const lives = await livesOf()
    const [most, least] = [0, 5_000].map((late) => ({
      'scores:global:TCS': 6 * HOUR - 600_000 - late,
      'scores:cache_timestamp': 6 * HOUR - 600_000 - late,
      'sr:TCS:15m': HOUR - 600_000 - late,
      'context:memory:session:u%3A1': HOUR - 600_000 - late,
      'nof0:conversations:gpt-5': 300_000 - late,
      'nof0:decision:last:gpt-5': 60_000 - late,
      'nof0:trader:t1:state': 60_000 - late,
    }))
    for (const [key, ms] of Object.entries(most!)) {
      expect(lives[key], key).toBeLessThanOrEqual(ms)
      expect(lives[key], key).toBeGreaterThan(least![key as keyof typeof most])
    }
    const forEver = Object.keys(lives).filter((key) => lives[key] === -1)
    expect(forEver.sort()).toEqual([
      ...['context:analysis:TCS:technical', 'context:learning:technical', 'context:user:u1:risk'],
    ])
  })

  it('are the same kept and rebuilt, follow each record, and get no longer life', async () => {
    await book(...KINDS.map((kind) => RECORDS[kind]))
    const stop = new AbortController()
    const keeping = source().keep(stop.signal)
    const { client } = reader
    await eventually(() => client.exists('context:learning:technical'))
    // Nothing of this is written because of its age: of it only nof0 is, after 20 s.
    await book(
      ...[at('message', 5, { model: 'grok-4' }), at('decision', 6), at('trader', 7, { trader: 't2' })],
      ...[at('score', -HOUR, { symbol: 'INFY' }), at('score', 8, { score: 12 }), at('score', 2)],
      ...[at('levels', -2 * HOUR, { timeframe: '4h' }), at('levels', -HOUR, { timeframe: '1D' })],
      ...[at('analysis', -1), at('analysis', 9, { reasoning: 'turned' }), at('memory', 1, { value: 'new' })],
      ...[at('memory', -2 * HOUR, { key: 'ended' }), at('preference', 1, { key: 'theme' })],
      at('learning', 1, { agent: 'options' }),
    )
    await eventually(() => client.exists('context:learning:options'))
    stop.abort()
    await keeping
    const [live, lives] = [await keysOf(client), await livesOf()]
    expect(live['context:analysis:TCS:technical']?.content).toContainEqual(['reasoning', 'turned'])
    expect(live['scores:global:TCS']?.content).toContainEqual(['score', '12'])
    expect(live['scores:cache_timestamp']?.content).toBe(new Date(NOW + 8).toISOString())
    expect(live['context:memory:session:u%3A1']?.content).toBe('"new"')
    // Those that had ended when they came.
    expect(Object.keys(live)).not.toContain('context:memory:session:ended')
    expect(Object.keys(live)).not.toContain('sr:TCS:4h')
    expect(Object.keys(live)).toHaveLength(16)
    for (const before of ['over what is there', 'after all was lost']) {
      if (before === 'after all was lost') await client.flushall()
      now += 30_000
      await source().rebuild(GO_ON)
      expect(await keysOf(client), before).toEqual(live)
    }
    // A minute later by the records' time: what ends with them has a minute less.
    for (const [key, ms] of Object.entries(await livesOf())) {
      if (!key.startsWith('nof0:')) expect(ms, key).toBeLessThanOrEqual(Math.max(-1, lives[key]! - 55_000))
    }
    now = NOW + 6 * HOUR + 8
    await source().rebuild(GO_ON)
    const left = Object.keys(await keysOf(client)).filter((key) => !key.startsWith('nof0:'))
    expect(left.filter((key) => !key.startsWith('context:'))).toEqual([])
    expect(left.filter((key) => key.startsWith('context:memory'))).toEqual([])
  })

  it('go with their rows, and only those of the families that are asked for are touched', async () => {
    await book(RECORDS.preference, RECORDS.score, RECORDS.trader)
    await source().rebuild(GO_ON)
    await test.database.write(async ({ sql, t }) => {
      await sql.delete(t.userPreferences)
      await sql.delete(t.globalScores)
      await sql.delete(t.traderStates)
    })
    await reader.client.set('scores:weights', 'of somebody else')
    await source(['nof0']).rebuild(GO_ON)
    const left = ['context:user:u1:risk', 'scores:cache_timestamp', 'scores:global:TCS', 'scores:weights']
    expect(Object.keys(await keysOf(reader.client))).toEqual(left)
    await source(['insights']).rebuild(GO_ON)
    expect(Object.keys(await keysOf(reader.client))).toEqual(['scores:weights'])
  })

  it('that would end although they are true are written again', async () => {
    await book(RECORDS.decision, RECORDS.message, RECORDS.preference)
    const { client } = reader
    const stop = new AbortController()
    let elapsedMs = 0
    const keeping = source(PROJECTION_FAMILIES, { ...clock, monotonic: () => elapsedMs }).keep(stop.signal)
    await eventually(() => client.exists('context:user:u1:risk'))
    await client.del('nof0:decision:last:gpt-5', 'nof0:conversations:gpt-5', 'context:user:u1:risk')
    elapsedMs = 20_000
    await eventually(() => client.exists('nof0:decision:last:gpt-5'))
    expect(await client.exists('nof0:conversations:gpt-5')).toBe(0)
    elapsedMs = 100_000
    await eventually(() => client.exists('nof0:conversations:gpt-5'))
    stop.abort()
    await keeping
  })
})
