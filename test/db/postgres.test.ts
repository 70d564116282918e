import pg from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  asc,
  type Database,
  eq,
  gte,
  migrate,
  openDatabase,
  prepareSelect,
  sql,
  type Tx,
} from '../../src/db/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'

describe('Postgres', () => {
  let place: TestDatabase
  let db: Database
  let admin: pg.Client
  beforeEach(async () => {
    place = await openTestDatabase('postgres', { busyMs: 300, pool: 3 })
    db = place.database
    admin = new pg.Client({ connectionString: place.options.url! })
    await admin.connect()
  })
  afterEach(async () => {
    await admin.end()
    await place.close()
  })

  const fence = (resource: string) => ({ resource, token: 1, holder: '' })
  const add = (resource: string) =>
    db.write(async ({ sql: q, t }) => void (await q.insert(t.fences).values(fence(resource))))
  const names = () =>
    db.read(async ({ sql: q, t }) => {
      const rows = await q.select().from(t.fences).orderBy(asc(t.fences.resource))
      return rows.map(({ resource }) => resource)
    })
  const terminateOthers = () =>
    admin.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    )
  const others = async () => {
    const { rows } = await admin.query(
      'select state from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    )
    return rows.length
  }

  it('goes on by itself when its idle connections are cut', async () => {
    await Promise.all([add('a'), add('b'), add('c')])
    expect(await others()).toBe(3)
    await terminateOthers()
    await Promise.all([add('d'), add('e'), add('f')])
    expect(await names()).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
  })

  const held = prepareSelect<Pick<Tx['t']['fences'], 'resource' | 'token'>, 'least'>(
    ({ fences: { resource, token } }) => ({ resource, token }),
    (builder, { fences }, fields) =>
      builder
        .select(fields)
        .from(fences)
        .where(gte(fences.token, sql.placeholder('least'))),
  )

  it('answers a select alone by itself when its idle connections are cut', async () => {
    await add('a')
    const ask = () => db.rows(held, { least: 1 })
    expect(await Promise.all([ask(), ask(), ask()])).toHaveLength(3)
    expect(await others()).toBe(3)
    await terminateOthers()
    expect(await ask()).toEqual([{ resource: 'a', token: 1 }])
  })

  it('answers a prepared select also after a migration gave its table other types', async () => {
    await add('a')
    const alone = () => db.rows(held, { least: 1 })
    const inside = () => db.read((tx) => tx.rows(held, { least: 1 }))
    const before = await Promise.all([alone(), inside(), inside()])
    await admin.query('alter table fences alter column resource type varchar(200)')
    expect(await Promise.all([alone(), inside(), inside()])).toEqual(before)
    expect(await Promise.all([inside(), alone(), alone()])).toEqual(before)
  })

  it('is DATABASE_UNAVAILABLE when cut inside a transaction, writes nothing, and works again', async () => {
    const cut = db.write(async ({ sql: q, t }) => {
      await q.insert(t.fences).values(fence('a'))
      await terminateOthers()
      await q.insert(t.fences).values(fence('b'))
    })
    await expect(cut).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    expect(await names()).toEqual([])
    await add('c')
    expect(await names()).toEqual(['c'])
  })

  it('says that the outcome is unknown when cut during the commit', async () => {
    await admin.query(`
      create function linger() returns trigger language plpgsql as 'begin perform pg_sleep(60); return null; end';
      create constraint trigger linger after insert on fences deferrable initially deferred
        for each row execute function linger()`)
    const cut = expect(add('a')).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
      facts: { commit: 'unknown' },
    })
    await eventually(async () => {
      const { rows } = await admin.query(
        "select 1 from pg_stat_activity where query = 'commit' and state = 'active'",
      )
      return rows.length === 1
    })
    await terminateOthers()
    await cut
    await admin.query('drop trigger linger on fences')
    await add('b')
    expect(await names()).toEqual(['b'])
  })

  it('runs both sides of a deadlock to the end, one of them more than once', async () => {
    await Promise.all([add('a'), add('b')])
    const retried: string[] = []
    const patient = openDatabase({ ...place.options, busyMs: 10_000 })
    patient.events.on('retried', ({ reason }) => retried.push(reason))
    let met = 0
    const raiseBoth = async ({ sql: q, t }: Tx, order: readonly string[]) => {
      for (const resource of order) {
        await q
          .update(t.fences)
          .set({ token: sql`${t.fences.token} + 1` })
          .where(eq(t.fences.resource, resource))
        met++
        // Both hold their first row before either asks for its second.
        if (met <= 2) await eventually(() => met >= 2)
      }
    }
    await Promise.all([
      patient.write((tx) => raiseBoth(tx, ['a', 'b'])),
      patient.write((tx) => raiseBoth(tx, ['b', 'a'])),
    ])
    // The victim may run into the other once more before that one has its second row.
    expect(retried.length).toBeGreaterThan(0)
    for (const reason of retried) expect(reason).toContain('deadlock')
    const tokens = await patient.read(({ sql: q, t }) => q.select({ token: t.fences.token }).from(t.fences))
    expect(tokens).toEqual([{ token: 3 }, { token: 3 }])
    await patient.close()
  })

  it('is DATABASE_BUSY when a row stays locked past the deadline', async () => {
    await add('a')
    await admin.query("begin; select * from fences where resource = 'a' for update")
    const waiting = db.write(({ sql: q, t, forUpdate }) => forUpdate(q.select().from(t.fences)))
    await expect(waiting).rejects.toMatchObject({ code: 'DATABASE_BUSY' })
    await admin.query('rollback')
    expect(await db.write(({ sql: q, t, forUpdate }) => forUpdate(q.select().from(t.fences)))).toHaveLength(1)
  })

  it('leaves out locked rows when asked to', async () => {
    await Promise.all([add('a'), add('b')])
    await admin.query("begin; select * from fences where resource = 'a' for update")
    const free = await db.write(({ sql: q, t, forUpdate }) =>
      forUpdate(q.select().from(t.fences), { skipLocked: true }),
    )
    expect(free.map(({ resource }) => resource)).toEqual(['b'])
    await admin.query('rollback')
  })

  it('is DATABASE_BUSY when the process itself uses every connection', async () => {
    const { promise: held, resolve: finish } = Promise.withResolvers<void>()
    const holders = [1, 2, 3].map(() => db.read(() => held))
    await expect(names()).rejects.toMatchObject({ code: 'DATABASE_BUSY', facts: { max: 3 } })
    finish()
    await Promise.all(holders)
    expect(await names()).toEqual([])
  })

  it('is DATABASE_UNAVAILABLE, without a password in the message, when there is no server', async () => {
    const url = 'postgres://someone:hunter2@127.0.0.1:1/sluice'
    const nowhere = openDatabase({ driver: 'postgres', url, clock: systemClock })
    const answer = await nowhere.read(async () => 1).catch((error: unknown) => error)
    expect(answer).toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    expect(JSON.stringify(answer) + String(answer)).not.toContain('hunter2')
    await expect(migrate({ driver: 'postgres', url, clock: systemClock })).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
    })
    await nowhere.close()
  })

  it('is DATABASE_UNAVAILABLE when there is no such database', async () => {
    const url = new URL(place.options.url!)
    url.pathname = '/no_such_database'
    const nowhere = openDatabase({ driver: 'postgres', url: url.href, clock: systemClock })
    await expect(nowhere.read(async () => 1)).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
      message: expect.stringContaining('no_such_database'),
    })
    await nowhere.close()
  })

  it('needs a URL', () => {
    expect(() => openDatabase({ driver: 'postgres', clock: systemClock })).toThrow(/DATABASE_URL/)
  })
})
