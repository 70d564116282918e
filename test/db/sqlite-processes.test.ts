import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eq, openDatabase, sql } from '../../src/db/index.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'

const CHILD = join(import.meta.dirname, 'writing-process.ts')

describe('processes that share a SQLite file', () => {
  let place: TestDatabase
  let children: ChildProcess[]
  beforeEach(async () => {
    place = await openTestDatabase('sqlite', { busyMs: 500 })
    children = []
  })
  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL')
    await place.close()
  })

  const start = (...parameters: string[]) => {
    const child = spawn(process.execPath, [CHILD, ...parameters], {
      env: { ...process.env, ...place.environment },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    children.push(child)
    const lines: string[] = []
    createInterface({ input: child.stdout! }).on('line', (line) => lines.push(line))
    // Listened for from the start: a process may end before anybody asks.
    return { child, lines, closed: once(child, 'close') }
  }
  const holding = async () => {
    const { child, lines } = start('hold')
    await eventually(() => lines.includes('held'))
    return child
  }
  const write = () =>
    place.database.write(async ({ sql: q, t }) => {
      await q
        .insert(t.fences)
        .values({ resource: 'mine', token: 1, holder: '' })
        .onConflictDoUpdate({ target: t.fences.resource, set: { token: sql`${t.fences.token} + 1` } })
    })
  const token = (resource: string) =>
    place.database.read(async ({ sql: q, t }) => {
      const [row] = await q.select().from(t.fences).where(eq(t.fences.resource, resource))
      return row?.token
    })

  it('write at the same time and lose nothing', async () => {
    const writers = [start('count', '40'), start('count', '40'), start('count', '40')]
    await Promise.all(writers.map(({ closed }) => closed))
    const told = writers.flatMap(({ lines }) => lines.map(Number)).sort((a, b) => a - b)
    expect(told).toEqual(Array.from({ length: 120 }, (_, index) => index + 1))
  })

  it('go on when one is killed among them, and keep what it had told', async () => {
    const victim = start('count', '100000')
    const others = [start('count', '60'), start('count', '60')]
    await eventually(() => victim.lines.length > 20)
    victim.child.kill('SIGKILL')
    await Promise.all([victim, ...others].map(({ closed }) => closed))
    const told = [victim, ...others].flatMap(({ lines }) => lines.map(Number))
    expect(new Set(told).size).toBe(told.length)
    const last = (await token('shared'))!
    // One commit of the victim may not have been told.
    expect([told.length, told.length + 1]).toContain(last)
    await write()
  })

  it('go on when one is killed inside a transaction, whose rows are gone', async () => {
    const child = await holding()
    child.kill('SIGKILL')
    await once(child, 'close')
    await write()
    expect(await token('mine')).toBe(1)
    expect(await token('shared')).toBeUndefined()
  })

  it('get DATABASE_BUSY while one stands still inside a transaction, and can read all the time', async () => {
    const child = await holding()
    child.kill('SIGSTOP')
    const retried: number[] = []
    place.database.events.on('retried', ({ attempt }) => retried.push(attempt))
    let ended = false
    const failures = Promise.allSettled([write(), write(), write()]).finally(() => {
      ended = true
    })
    let reads = 0
    while (!ended) {
      expect(await token('shared')).toBeUndefined()
      reads++
    }
    for (const failure of await failures) {
      expect(failure).toMatchObject({ status: 'rejected', reason: { code: 'DATABASE_BUSY' } })
    }
    expect(retried.length).toBeGreaterThan(5)
    expect(reads).toBeGreaterThan(5)
    child.kill('SIGKILL')
    await once(child, 'close')
    await write()
    expect(await token('mine')).toBe(1)
  })

  it('get through once the one that stood still ends', async () => {
    const patient = openDatabase({ ...place.options, busyMs: 30_000 })
    const child = await holding()
    child.kill('SIGSTOP')
    const waiting = patient.write(({ sql: q, t }) => q.select().from(t.fences))
    await eventually(
      () => new Promise<boolean>((resolve) => patient.events.once('retried', () => resolve(true))),
    )
    child.kill('SIGKILL')
    expect(await waiting).toEqual([])
    await patient.close()
  })
})
