import { sql } from 'drizzle-orm'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Database } from '../../src/db/index.ts'
import { drivers, openTestDatabase, type TestDatabase } from '../support/database.ts'

describe.each(drivers)('transactions on %s', (driver) => {
  let place: TestDatabase
  let db: Database
  beforeEach(async () => {
    place = await openTestDatabase(driver)
    db = place.database
  })
  afterEach(() => place.close())

  const addFence = (resource: string) =>
    db.write(async ({ sql: q, t }) => {
      const [row] = await q
        .insert(t.fences)
        .values({ resource, token: 1, holder: 'a' })
        .onConflictDoUpdate({ target: t.fences.resource, set: { token: sql`${t.fences.token} + 1` } })
        .returning({ token: t.fences.token })
      return row?.token
    })
  const count = () => db.read(({ sql: q, t }) => q.$count(t.fences))

  it('answers what the work returned, and keeps what it wrote', async () => {
    expect(await addFence('a')).toBe(1)
    expect(await addFence('a')).toBe(2)
    expect(await count()).toBe(1)
  })
})
