import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgresTables } from '../../schema/index.ts'
import { canonicalDecimal } from '../../schema/words/values.ts'
import { copyRows } from '../../src/db/copy-postgres.ts'
import { and, asc, eq } from '../../src/db/index.ts'
import { drivers, openTestDatabase, type TestDatabase } from '../support/database.ts'

describe.each(drivers)('an upsert on %s', (driver) => {
  let place: TestDatabase
  beforeAll(async () => {
    place = await openTestDatabase(driver)
  })
  afterAll(() => place.close())

  const opportunity = (id: string, more: object = {}) => ({
    ...{ id, symbol: 'a,"b"\\{}\n', buyVenue: '', sellVenue: 'NULL', reason: 'é' },
    ...{ openedAt: 1_700_000_000_123, lastSeenAt: Number.MAX_SAFE_INTEGER, closedAt: null as number | null },
    ...{ buyPrice: 0.1 + 0.2, sellPrice: 5e-324, edgeBps: Number.MAX_VALUE, bestEdgeBps: -1.5 },
    ...{ quantity: 3, profit: 0, buyLimit: 1e21, sellLimit: 123456789.12345679, simulated: true },
    sources: [{ venue: 'b', stream: 's', partition: 3, entry: '1-0', eventId: 'é"\n', quoteTime: 1 }],
    ...more,
  })
  const opportunities = () =>
    place.database.read(({ sql, t }) => sql.select().from(t.opportunities).orderBy(t.opportunities.id))

  it('keeps every kind of value as it was given, with nulls between, and replaces whole rows', async () => {
    const [one, two] = [opportunity('1'), opportunity('2', { closedAt: 5, simulated: false })]
    await place.database.write(({ t, upsert }) => upsert(t.opportunities, [one, two]))
    expect(await opportunities()).toEqual([one, two])
    const other = opportunity('2', { symbol: 'C', buyPrice: -1e-300, sources: [] })
    await place.database.write(({ t, upsert }) => upsert(t.opportunities, [other]))
    expect(await opportunities()).toEqual([one, other])
  })

  it('lets the last of two rows with one key count, wherever they stand in a long list', async () => {
    const cash = (i: number, amount: string) => ({
      venue: 'v',
      asset: `A${i}`,
      amount,
      opening: '0.5',
      updatedAt: i,
    })
    const rows = Array.from({ length: 5_001 }, (_, i) => cash(i, '1.25'))
    const again = [cash(0, '7'), cash(0, '8'), cash(5_000, '9')]
    await place.database.write(({ t, upsert }) => upsert(t.cash, [...rows, ...again]))
    const amountOf = (asset: string) =>
      place.database.read(async ({ sql, t }) => {
        const [row] = await sql
          .select()
          .from(t.cash)
          .where(and(eq(t.cash.venue, 'v'), eq(t.cash.asset, asset)))
        return row?.amount
      })
    expect(await place.database.read(({ sql, t }) => sql.$count(t.cash))).toBe(5_001)
    expect([await amountOf('A0'), await amountOf('A1'), await amountOf('A5000')]).toEqual(['8', '1.25', '9'])
  })

  it('keeps columns whose rows are all alike, and those in which one differs', async () => {
    const rows = [0, 1, 2].map((i) =>
      opportunity(`same ${i}`, {
        edgeBps: 0.1,
        bestEdgeBps: i === 1 ? 3 : 2,
        symbol: i === 2 ? '' : 'S',
        closedAt: 7,
      }),
    )
    await place.database.write(({ t, upsert }) => upsert(t.opportunities, rows, { areNew: true }))
    const kept = await opportunities()
    expect(kept.filter(({ id }) => id.startsWith('same'))).toEqual(rows)
  })

  it('takes nothing, and one row again and again', async () => {
    await place.database.write(async ({ t, upsert }) => {
      await upsert(t.cash, [])
      await upsert(t.inbox, [{ consumerGroup: 'g', eventId: 'e', at: 1 }])
      await upsert(t.inbox, [{ consumerGroup: 'g', eventId: 'e', at: 2 }])
    })
    expect(await place.database.read(({ sql, t }) => sql.select().from(t.inbox))).toEqual([
      { consumerGroup: 'g', eventId: 'e', at: 2 },
    ])
  })

  it('writes nothing at all when one row is refused', async () => {
    const before = await opportunities()
    const refused = (more: object) =>
      place.database.write(({ t, upsert }) =>
        upsert(t.opportunities, [opportunity('3'), opportunity('4', more)]),
      )
    await expect(refused({ buyPrice: Number.NaN })).rejects.toThrow(RangeError)
    await expect(refused({ openedAt: 1.5 })).rejects.toThrow(RangeError)
    await expect(refused({ symbol: undefined })).rejects.toMatchObject({ code: 'DATABASE_CONSTRAINT' })
    expect(await opportunities()).toEqual(before)
  })

  it('keeps every kind of new value as it was given, with nulls between', async () => {
    const rows = [opportunity('new 1'), opportunity('new 2', { closedAt: 5, simulated: false, sources: [] })]
    await place.database.write(({ t, upsert }) => upsert(t.opportunities, rows, { areNew: true }))
    const kept = await opportunities()
    expect(kept.filter(({ id }) => id.startsWith('new'))).toEqual(rows)
  })

  it('keeps every digit of a new decimal', async () => {
    const whole = fc.bigInt({ min: 0n, max: 10n ** 30n }).map(String)
    const fraction = fc.stringMatching(/^\d{0,28}$/)
    const decimal = fc
      .tuple(fc.constantFrom('', '-'), whole, fraction)
      .map(([sign, front, behind]) => canonicalDecimal(`${sign}${front}.${behind}`))
    const given = ['0', '-0.5', '10000', '0.0001', '0.00001', '-100000000', '99999999.99999999']
    const amounts = [...given, ...fc.sample(decimal, { numRuns: 1_000, seed: 1 })]
    const rows = amounts.map((amount, i) => ({
      ...{ venue: 'digits', asset: String(i), amount, opening: amount, updatedAt: i },
    }))
    await place.database.write(({ t, upsert }) => upsert(t.cash, rows, { areNew: true }))
    const kept = await place.database.read(({ sql, t: { cash } }) =>
      sql.select().from(cash).where(eq(cash.venue, 'digits')).orderBy(asc(cash.updatedAt)),
    )
    expect(kept).toEqual(rows)
  })

  it('inserts what is new, and refuses all of it when one row is there after all', async () => {
    const rows = Array.from({ length: 5_001 }, (_, i) => ({
      ...{ venue: 'new', asset: `A${i}`, amount: '1', opening: '1', updatedAt: 1 },
    }))
    const insert = (some: typeof rows) =>
      place.database.write(({ t, upsert }) => upsert(t.cash, some, { areNew: true }))
    const count = () => place.database.read(({ sql, t: { cash } }) => sql.$count(cash, eq(cash.venue, 'new')))
    for (const there of [0, 1_000, 5_000]) {
      await insert(rows.slice(there, there + 1))
      await expect(insert(rows)).rejects.toMatchObject({ code: 'DATABASE_CONSTRAINT' })
    }
    expect(await count()).toBe(3)
    await insert(rows.filter(({ asset }) => !['A0', 'A1000', 'A5000'].includes(asset)))
    expect(await count()).toBe(5_001)
  })

  it('writes no new row when one of them is refused', async () => {
    const refused = (more: object) =>
      place.database.write(({ t, upsert }) =>
        upsert(t.opportunities, [opportunity('5'), opportunity('6', more)], { areNew: true }),
      )
    const before = await opportunities()
    await expect(refused({ buyPrice: Number.NaN })).rejects.toThrow(RangeError)
    await expect(refused({ symbol: undefined })).rejects.toMatchObject({ code: 'DATABASE_CONSTRAINT' })
    expect(await opportunities()).toEqual(before)
  })

  it.each([true, false])(
    'leaves no part of itself when it fails and nobody minds, or is not awaited (new: %s)',
    async (areNew) => {
      const rows = Array.from({ length: 5_000 }, (_, i) => ({
        ...{ venue: 'part', asset: `A${i}`, amount: '1', opening: '1', updatedAt: i },
      }))
      const wrong = [...rows.slice(1), { ...rows[0]!, updatedAt: Number.NaN }]
      const count = () =>
        place.database.read(({ sql, t: { cash } }) => sql.$count(cash, eq(cash.venue, 'part')))
      const swallowing = place.database.write(async ({ t, upsert }) => {
        await upsert(t.cash, wrong, { areNew }).catch(() => undefined)
      })
      await expect(swallowing).rejects.toThrow(RangeError)
      expect(await count()).toBe(0)
      let late: Promise<void> | undefined
      const hurrying = place.database.write(async ({ t, upsert }) => {
        late = upsert(t.cash, rows, { areNew })
        late.catch(() => undefined)
      })
      await expect(hurrying).rejects.toMatchObject({ code: 'USAGE' })
      await expect(late).rejects.toThrow()
      expect(await count()).toBe(0)
    },
  )

  it('refuses two new rows that are the same', async () => {
    const row = { consumerGroup: 'g', eventId: 'twice', at: 1 }
    const twice = place.database.write(({ t, upsert }) => upsert(t.inbox, [row, row], { areNew: true }))
    await expect(twice).rejects.toMatchObject({ code: 'DATABASE_CONSTRAINT' })
  })

  it('is refused in read()', async () => {
    const reading = place.database.read(({ t, upsert }) => upsert(t.cash, []))
    await expect(reading).rejects.toMatchObject({ code: 'USAGE' })
  })
})

it('can copy rows into every table of Postgres', async () => {
  const texts: string[] = []
  for (const table of Object.values(postgresTables)) {
    await copyRows(async (text) => void texts.push(text), table, [{}])
  }
  expect(texts).toHaveLength(Object.keys(postgresTables).length)
})
