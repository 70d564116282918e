import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Database, eq, openDatabase, sql } from '../../src/db/index.ts'
import { drivers, openTestDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'

describe.each(drivers)('transactions on %s', (driver) => {
  let place: TestDatabase
  let db: Database
  beforeEach(async () => {
    place = await openTestDatabase(driver, { busyMs: 2_000 })
    db = place.database
  })
  afterEach(() => place.close())

  const raise = (on: Database, resource: string) =>
    on.write(async ({ sql: q, t }) => {
      const [row] = await q
        .insert(t.fences)
        .values({ resource, token: 1, holder: 'a' })
        .onConflictDoUpdate({ target: t.fences.resource, set: { token: sql`${t.fences.token} + 1` } })
        .returning({ token: t.fences.token })
      return row?.token
    })
  const count = (on: Database = db) => on.read(({ sql: q, t }) => q.$count(t.fences))
  const addOnce = (eventId: string, on: Database = db) =>
    on.write(async ({ sql: q, t }) => {
      const row = { consumerGroup: 'g', eventId, at: 1 }
      return (await q.insert(t.inbox).values(row).onConflictDoNothing().returning()).length
    })

  it('answers what the work returned and keeps what it wrote', async () => {
    expect(await raise(db, 'a')).toBe(1)
    expect(await raise(db, 'a')).toBe(2)
    expect(await count()).toBe(1)
  })

  it('tells by returning whether a row was new', async () => {
    expect(await addOnce('e')).toBe(1)
    expect(await addOnce('e')).toBe(0)
  })

  it('writes nothing when the work throws, and throws what the work threw', async () => {
    const failure = new Error('mine')
    const failing = db.write(async ({ sql: q, t }) => {
      await q.insert(t.fences).values({ resource: 'a', token: 1, holder: 'a' })
      throw failure
    })
    await expect(failing).rejects.toBe(failure)
    expect(await count()).toBe(0)
  })

  it('writes nothing when a statement failed, even if the work swallowed the error', async () => {
    const swallowing = db.write(async ({ sql: q, t }) => {
      const row = { resource: 'a', token: 1, holder: 'a' }
      await q.insert(t.fences).values(row)
      await q
        .insert(t.fences)
        .values(row)
        .catch(() => undefined)
      return 'fine'
    })
    await expect(swallowing).rejects.toMatchObject({ code: 'DATABASE_CONSTRAINT' })
    expect(await count()).toBe(0)
  })

  it('sees its own writes, and nobody else sees them before the commit', async () => {
    const other = openDatabase(place.options)
    await db.write(async ({ sql: q, t }) => {
      await q.insert(t.fences).values({ resource: 'a', token: 1, holder: 'a' })
      expect(await q.$count(t.fences)).toBe(1)
      expect(await count(other)).toBe(0)
    })
    expect(await count(other)).toBe(1)
    await other.close()
  })

  it('reads one moment, whatever is committed meanwhile', async () => {
    const other = openDatabase(place.options)
    await db.read(async ({ sql: q, t }) => {
      expect(await q.$count(t.fences)).toBe(0)
      await raise(other, 'a')
      expect(await q.$count(t.fences)).toBe(0)
    })
    expect(await count()).toBe(1)
    await other.close()
  })

  it('reads many moments at once, more than it has connections', async () => {
    await raise(db, 'a')
    expect(await Promise.all(Array.from({ length: 50 }, () => count()))).toEqual(Array(50).fill(1))
  })

  it('refuses to write in read', async () => {
    const writing = db.read(({ sql: q, t }) => q.delete(t.fences))
    await expect(writing).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('use write()'),
    })
  })

  it('refuses forUpdate and afterCommit in read', async () => {
    const locking = db.read(async ({ sql: q, t, forUpdate }) => forUpdate(q.select().from(t.fences)))
    await expect(locking).rejects.toMatchObject({ code: 'USAGE' })
    const waiting = db.read(async ({ afterCommit }) => afterCommit(() => undefined))
    await expect(waiting).rejects.toMatchObject({ code: 'USAGE' })
  })

  it('refuses a transaction inside another, and goes on afterwards', async () => {
    await expect(db.write(() => db.write(async () => 1))).rejects.toMatchObject({ code: 'USAGE' })
    await expect(db.write(() => db.read(async () => 1))).rejects.toMatchObject({ code: 'USAGE' })
    await expect(db.read(() => db.write(async () => 1))).rejects.toMatchObject({ code: 'USAGE' })
    expect(await raise(db, 'a')).toBe(1)
  })

  it('refuses a query that comes after the end', async () => {
    const leaked = await db.write(async (tx) => ({ tx }))
    const late = async () => leaked.tx.sql.select().from(leaked.tx.t.fences)
    await expect(late()).rejects.toSatisfy((error: Error) => /had ended/.test(String(error.cause ?? error)))
    expect(() => leaked.tx.afterCommit(() => undefined)).toThrow(/had ended/)
  })

  it('refuses calls after close', async () => {
    await db.close()
    await expect(count()).rejects.toMatchObject({ code: 'USAGE' })
  })

  it('waits with close for what is running', async () => {
    const running = raise(db, 'a')
    await db.close()
    expect(await running).toBe(1)
  })

  it('calls afterCommit once, in order, when others can already see the rows', async () => {
    const seen: string[] = []
    await db.write(async ({ sql: q, t, afterCommit }) => {
      afterCommit(() => void seen.push('first'))
      afterCommit(async () => void seen.push(`sees ${await count()}`))
      await q.insert(t.fences).values({ resource: 'a', token: 1, holder: 'a' })
      expect(seen).toEqual([])
    })
    await eventually(() => seen.length === 2)
    expect(seen).toEqual(['first', 'sees 1'])
  })

  it('does not call afterCommit when nothing was committed', async () => {
    let called = 0
    const failing = db.write(async ({ afterCommit }) => {
      afterCommit(() => void called++)
      throw new Error('mine')
    })
    await expect(failing).rejects.toThrow('mine')
    await raise(db, 'a')
    expect(called).toBe(0)
  })

  it('keeps the effect when afterCommit throws, and tells of it', async () => {
    const told: string[] = []
    db.events.on('afterCommitFailed', ({ reason }) => told.push(reason))
    await db.write(async ({ sql: q, t, afterCommit }) => {
      afterCommit(() => {
        throw new Error('nudge')
      })
      afterCommit(() => Promise.reject(new Error('later')))
      await q.insert(t.fences).values({ resource: 'a', token: 1, holder: 'a' })
    })
    await eventually(() => told.length === 2)
    expect(told).toEqual(['nudge', 'later'])
    expect(await count()).toBe(1)
  })

  it('lets writers of several connections take turns without losing one', async () => {
    const others = [openDatabase(place.options), openDatabase(place.options)]
    const writers = [db, ...others]
    await Promise.all(Array.from({ length: 90 }, (_, turn) => raise(writers[turn % 3]!, 'a')))
    expect(await raise(db, 'a')).toBe(91)
    await Promise.all(others.map((other) => other.close()))
  })

  it('locks rows that are read, checked and then changed', async () => {
    await raise(db, 'a')
    const other = openDatabase(place.options)
    const readThenSet = (on: Database) =>
      on.write(async ({ sql: q, t, forUpdate }) => {
        const mine = eq(t.fences.resource, 'a')
        const [row] = await forUpdate(q.select().from(t.fences).where(mine))
        await q
          .update(t.fences)
          .set({ token: row!.token + 1 })
          .where(mine)
      })
    await Promise.all(Array.from({ length: 40 }, (_, turn) => readThenSet(turn % 2 ? db : other)))
    expect(await raise(db, 'a')).toBe(42)
    await other.close()
  })

  it('runs the queries of one transaction in turn when they are awaited together', async () => {
    const rows = await db.write(({ sql: q, t }) =>
      Promise.all(
        ['a', 'b', 'c'].map((resource) =>
          q.insert(t.fences).values({ resource, token: 1, holder: 'x' }).returning(),
        ),
      ),
    )
    expect(rows.flat().map(({ resource }) => resource)).toEqual(['a', 'b', 'c'])
  })

  it('tells how long each transaction waited and took', async () => {
    const kinds: string[] = []
    db.events.on('done', ({ kind, waitedMs, tookMs }) => {
      expect(waitedMs).toBeGreaterThanOrEqual(0)
      expect(tookMs).toBeGreaterThan(0)
      kinds.push(kind)
    })
    await raise(db, 'a')
    await count()
    expect(kinds).toEqual(['write', 'read'])
  })
})
