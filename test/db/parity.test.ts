// The words promise that both dialects are one; here the tables that drizzle-kit and the drivers see are compared,
// and every word goes through both databases.
import { type PgTable, getTableConfig as postgresConfig } from 'drizzle-orm/pg-core'
import { type SQLiteTable, getTableConfig as sqliteConfig } from 'drizzle-orm/sqlite-core'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgresTables, sqliteTables, type Tables } from '../../schema/index.ts'
import { canonicalDecimal } from '../../schema/words/values.ts'
import { sql as query } from '../../src/db/index.ts'
import { decimal, decimalText } from '../../src/kernel/index.ts'
import { drivers, openTestDatabase, type TestDatabase } from '../support/database.ts'

// What a column word is in each dialect; anything else is a word that was not thought through.
const TYPES: Record<string, string> = {
  'text COLLATE "C"': 'text',
  numeric: 'text',
  bigint: 'integer',
  'double precision': 'real',
  boolean: 'integer',
  json: 'text',
}

interface Shape {
  name: string
  columns: { name: string; type: string; notNull: boolean; primary: boolean; unique: string | undefined }[]
  primaryKeys: string[][]
  uniques: { name: string | undefined; columns: string[] }[]
  indexes: { name: string | undefined; unique: boolean; columns: string[] }[]
}

type Config = ReturnType<typeof postgresConfig> | ReturnType<typeof sqliteConfig>

function shapeOf(config: Config, typeOf: (type: string) => string): Shape {
  const names = (columns: readonly unknown[]) => columns.map((column) => (column as { name: string }).name)
  return {
    name: config.name,
    columns: config.columns.map((column) => ({
      name: column.name,
      type: typeOf(column.getSQLType()),
      notNull: column.notNull,
      primary: column.primary,
      unique: column.isUnique ? column.uniqueName : undefined,
    })),
    primaryKeys: config.primaryKeys.map((key) => names(key.columns)),
    uniques: config.uniqueConstraints.map((unique) => ({
      name: unique.getName(),
      columns: names(unique.columns),
    })),
    indexes: config.indexes.map((index) => ({
      name: index.config.name,
      unique: index.config.unique,
      columns: names(index.config.columns),
    })),
  }
}

const inPostgres = (table: unknown) =>
  shapeOf(postgresConfig(table as PgTable), (type) => TYPES[type] ?? `unknown: ${type}`)
const inSqlite = (table: unknown) => shapeOf(sqliteConfig(table as SQLiteTable), (type) => type)

describe('the tables of both dialects', () => {
  const names = Object.keys(postgresTables) as (keyof Tables)[]

  it('are the same tables', () => {
    expect(Object.keys(sqliteTables).sort()).toEqual([...names].sort())
  })

  it.each(names)('have the same columns, keys, uniques and indexes: %s', (name) => {
    expect(inSqlite(sqliteTables[name])).toEqual(inPostgres(postgresTables[name]))
  })

  it('would be caught if they differed', () => {
    expect(inSqlite(sqliteTables.fills)).not.toEqual(inPostgres(postgresTables.trades))
    const edited = inPostgres(postgresTables.fills)
    edited.columns[3]!.notNull = !edited.columns[3]!.notNull
    expect(inSqlite(sqliteTables.fills)).not.toEqual(edited)
  })
})

const digits = (max: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${max}}$`))
const decimals = fc
  .tuple(fc.constantFrom('', '-'), digits(30), fc.option(digits(30)))
  .map(([sign, whole, fraction]) => `${sign}${whole}${fraction === null ? '' : `.${fraction}`}`)

describe('a decimal', () => {
  it('has one canonical text, that of the kernel', () => {
    fc.assert(
      fc.property(decimals, (text) => {
        expect(canonicalDecimal(text)).toBe(decimalText(decimal(text)))
      }),
    )
    expect(canonicalDecimal('9.500000')).toBe('9.5')
    expect(canonicalDecimal('-0.00')).toBe('0')
    expect(canonicalDecimal('100')).toBe('100')
  })

  it.each(['', '1e5', 'NaN', 'Infinity', '1,5', '.5', ' 1', '0x10'])('is not %j', (text) => {
    expect(() => canonicalDecimal(text)).toThrow(/is not a decimal/)
  })
})

describe.each(drivers)('values on %s', (driver) => {
  let place: TestDatabase
  beforeAll(async () => {
    place = await openTestDatabase(driver)
  })
  afterAll(() => place.close())

  it('keeps decimals of 60 digits exactly', async () => {
    let turn = 0
    const roundTrip = fc.asyncProperty(decimals, decimals, async (total, reserved) => {
      const key = { venue: 'v', asset: `a${turn++}` }
      const [row] = await place.database.write(({ sql, t }) =>
        sql
          .insert(t.inventory)
          .values({ ...key, opening: total, total, reserved })
          .returning(),
      )
      const [one, other] = [canonicalDecimal(total), canonicalDecimal(reserved)]
      expect(row).toEqual({ ...key, opening: one, total: one, reserved: other })
    })
    await fc.assert(roundTrip, { numRuns: 100 })
  })

  const opportunity = (id: string, more: object = {}) => ({
    id,
    symbol: 'BTC/USDT',
    buyVenue: 'a',
    sellVenue: 'b',
    openedAt: 1_700_000_000_123,
    lastSeenAt: Number.MAX_SAFE_INTEGER,
    closedAt: null,
    reason: 'open',
    buyPrice: 0.1 + 0.2,
    sellPrice: 5e-324,
    edgeBps: Number.MAX_VALUE,
    bestEdgeBps: -1.5,
    quantity: 3,
    profit: 0,
    buyLimit: 1e21,
    sellLimit: 123456789.12345679,
    simulated: true,
    sources: [{ venue: 'b', stream: 's', partition: 3, entry: '1-0', eventId: 'é"\n', quoteTime: 1 }],
    ...more,
  })

  it('gives every word back as it was given', async () => {
    const given = opportunity('all')
    const rows = await place.database.write(async ({ sql, t }) => {
      await sql.insert(t.opportunities).values([given, opportunity('no', { simulated: false, closedAt: 0 })])
      return sql.select().from(t.opportunities).orderBy(t.opportunities.id)
    })
    expect(rows).toEqual([given, opportunity('no', { simulated: false, closedAt: 0 })])
  })

  it.each([
    ['a fraction in a whole number', { openedAt: 1.5 }],
    ['a whole number that a float64 rounds', { openedAt: 2 ** 53 }],
    ['NaN in a float', { profit: Number.NaN }],
    ['infinity in a float', { profit: Number.POSITIVE_INFINITY }],
  ])('refuses %s', async (_what, more) => {
    const writing = place.database.write(async ({ sql, t }) => {
      await sql.insert(t.opportunities).values(opportunity('refused', more))
    })
    await expect(writing).rejects.toThrow(RangeError)
  })

  it('refuses null where a value belongs', async () => {
    const writing = place.database.write(async ({ sql, t }) => {
      await sql.insert(t.fences).values({ resource: 'a', token: 1, holder: null as unknown as string })
    })
    await expect(writing).rejects.toMatchObject({ code: 'DATABASE_CONSTRAINT' })
  })

  it('refuses a number in the file that a float64 would round', async () => {
    const writing = place.database.write(async ({ sql, t }) => {
      const token = query<number>`9007199254740993`
      await sql.insert(t.fences).values({ resource: 'large', token, holder: 'a' }).returning()
    })
    await expect(writing).rejects.toMatchObject({ code: 'DATABASE_INVALID' })
  })

  it('orders texts byte by byte', async () => {
    const texts = ['a', 'B', 'b', 'A', 'é', 'Z', '_', '1', 'a-b', 'ab', '😀', 'ﬀ']
    const rows = await place.database.write(async ({ sql, t }) => {
      await sql.insert(t.fences).values(texts.map((resource) => ({ resource, token: 1, holder: '' })))
      return sql.select({ text: t.fences.resource }).from(t.fences).orderBy(t.fences.resource)
    })
    const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))
    expect(rows.map(({ text }) => text)).toEqual([...texts].sort(byBytes))
  })

  it('never gives a counter out again', async () => {
    const message = (eventId: string) =>
      ({ kind: 'event', target: 's', eventId, time: 1, data: '{"b":1,"a":1.0}' }) as const
    const add = (eventId: string) =>
      place.database.write(({ sql, t }) => sql.insert(t.outbox).values(message(eventId)).returning())
    const [first] = await add('1')
    await place.database.write(async ({ sql, t }) => void (await sql.delete(t.outbox)))
    const [second] = await add('2')
    expect(second!.id).toBeGreaterThan(first!.id)
    expect(second!.data).toBe('{"b":1,"a":1.0}')
  })
})
