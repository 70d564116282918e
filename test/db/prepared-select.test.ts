import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { asc, eq, gte, prepareSelect, sql as raw, type Tx } from '../../src/db/index.ts'
import { drivers, openTestDatabase, type TestDatabase } from '../support/database.ts'

let built = 0
const fieldsOf = ({ fills: { id, price, time, simulated } }: Tx['t']) => ({ id, price, time, simulated })
const since = prepareSelect<ReturnType<typeof fieldsOf>, 'time' | 'limit'>(
  fieldsOf,
  (sql, { fills }, fields) => {
    built += 1
    return sql
      .select(fields)
      .from(fills)
      .where(gte(fills.time, raw.placeholder('time')))
      .orderBy(asc(fills.id))
      .limit(raw.placeholder('limit'))
  },
)
const cash = prepareSelect<Pick<Tx['t']['cash'], 'asset' | 'updatedAt'>, 'venue'>(
  ({ cash: { asset, updatedAt } }) => ({ asset, updatedAt }),
  (sql, { cash: t }, fields) =>
    sql
      .select(fields)
      .from(t)
      .where(eq(t.venue, raw.placeholder('venue'))),
)

const times = prepareSelect<Pick<Tx['t']['fills'], 'time' | 'leg'>, 'limit'>(
  ({ fills: { time, leg } }) => ({ time, leg }),
  (sql, { fills }, fields) =>
    sql.select(fields).from(fills).orderBy(asc(fills.time)).limit(raw.placeholder('limit')),
)

describe.each(drivers)('a prepared select on %s', (driver) => {
  let place: TestDatabase
  const fill = (i: number) => ({
    ...{
      id: `f${i}`,
      clientOrderId: 'c',
      opportunityId: 'o',
      leg: 0,
      venue: 'v',
      symbol: 'A/B',
      side: 'buy' as const,
    },
    ...{ price: `${i}.5`, quantity: '1', fee: '0', feeAsset: 'B', simulated: i % 2 === 0, time: i * 1_000 },
  })
  beforeAll(async () => {
    place = await openTestDatabase(driver)
    await place.database.write(async ({ upsert, t, sql }) => {
      await sql.insert(t.fills).values([1, 2, 3].map(fill))
      await upsert(t.cash, [
        { venue: "v'", asset: 'é', amount: '1', opening: '1', updatedAt: Number.MAX_SAFE_INTEGER },
      ])
    })
  })
  afterAll(() => place.close())

  it('answers what the builder would, with the values of each call, and is built once', async () => {
    const before = built
    const ask = (time: number, limit: number) => place.database.read((tx) => tx.rows(since, { time, limit }))
    const row = (i: number) => ({ id: `f${i}`, price: `${i}.5`, time: i * 1_000, simulated: i % 2 === 0 })
    expect(await ask(2_000, 10)).toEqual([row(2), row(3)])
    expect(await ask(0, 2)).toEqual([row(1), row(2)])
    expect(await ask(9_000, 2)).toEqual([])
    expect(built - before).toBe(1)
    const asked = await place.database.read((tx) => tx.rows(cash, { venue: "v'" }))
    expect(asked).toEqual([{ asset: 'é', updatedAt: Number.MAX_SAFE_INTEGER }])
  })

  it('of numbers answers the same whether few or many rows are allowed', async () => {
    const few = await place.database.rows(times, { limit: 10 })
    expect(few).toEqual([1, 2, 3].map((i) => ({ time: i * 1_000, leg: 0 })))
    expect(await place.database.rows(times, { limit: 1_000_000 })).toEqual(few)
    expect(await place.database.rows(times, { limit: 0 })).toEqual([])
  })

  it('of numbers packs them only in Postgres, and only when they are few', async () => {
    const textOf = (limit: number) =>
      place.database.read(async (tx) => times.planFor(driver, tx, { limit }).text)
    const isPacked = async (limit: number) => (await textOf(limit)).includes('array_send')
    expect([await isPacked(50_000), await isPacked(50_001)]).toEqual([driver === 'postgres', false])
  })

  it('refuses a whole number that no float64 holds, whether few or many rows are allowed', async () => {
    await place.database.write(({ sql, t }) =>
      sql.update(t.fills).set({ time: raw`9007199254740993` }).where(eq(t.fills.id, 'f3')),
    )
    for (const limit of [10, 1_000_000]) {
      const asked = place.database.rows(times, { limit })
      if (driver === 'postgres') await expect(asked).rejects.toMatchObject({ code: 'DATABASE_INVALID' })
      else await expect(asked).rejects.toThrow()
    }
    await place.database.write(({ sql, t }) =>
      sql.update(t.fills).set({ time: 3_000 }).where(eq(t.fills.id, 'f3')),
    )
  })

  it('answers the same alone, without a transaction, and is refused within one', async () => {
    const whole = await place.database.read((tx) => tx.rows(since, { time: 0, limit: 10 }))
    expect(whole).toHaveLength(3)
    expect(await place.database.rows(since, { time: 0, limit: 10 })).toEqual(whole)
    const inside = place.database.read(() => place.database.rows(since, { time: 0, limit: 1 }))
    await expect(inside).rejects.toMatchObject({ code: 'USAGE' })
  })

  it('sees the writes of its own transaction, and is refused behind its end', async () => {
    let kept: Tx | undefined
    await place.database.write(async (tx) => {
      kept = tx
      await tx.sql.delete(tx.t.fills).where(eq(tx.t.fills.id, 'f1'))
      expect(await tx.rows(since, { time: 0, limit: 1 })).toMatchObject([{ id: 'f2' }])
    })
    await expect(kept!.rows(since, { time: 0, limit: 1 })).rejects.toMatchObject({ code: 'USAGE' })
  })
})
