import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/kernel/index.ts'
import { batchOf } from '../../src/ticks/batch.ts'
import { eventually } from '../support/eventually.ts'
import { folderForTest } from './spill-folder.ts'
import { DAY_MS, tickOf, ticksFrom } from './spill-stage.ts'
import { dayFile, lockedByAnother, openForTest, spillIn, storedIn } from './writer-stage.ts'

const sorted = <T>(list: readonly T[]) => list.map((one) => JSON.stringify(one)).sort()

describe('the tick writer', () => {
  it('has stored what it confirms, and knows what it has already', async () => {
    const dir = folderForTest()
    const { writer, told, counts } = openForTest(dir)
    expect(await writer.add(ticksFrom(0, 1_000))).toEqual({ stored: 1_000, duplicate: 0, spilled: 0 })
    expect(sorted(await storedIn(dir))).toEqual(sorted(ticksFrom(0, 1_000)))
    expect(await writer.add(ticksFrom(900, 200))).toEqual({ stored: 100, duplicate: 100, spilled: 0 })
    expect(await writer.add([])).toEqual({ stored: 0, duplicate: 0, spilled: 0 })
    expect(counts()).toMatchObject({ received: 1_200, stored: 1_100, duplicate: 100, batches: 2 })
    expect(writer.health()).toMatchObject({ ok: true, failing: [], queued: 0, waiting: 0, inSpill: 0 })
    expect(told('flushed')).toHaveLength(2)
  })

  it('writes what many add at once in few batches, and tells each of its own', async () => {
    const dir = folderForTest()
    const { writer, counts } = openForTest(dir, { batchTicks: 512 })
    const lists = Array.from({ length: 200 }, (_, n) => ticksFrom(n * 17, 17))
    const done = await Promise.all(lists.map((list) => writer.add(list)))
    expect(done).toEqual(lists.map(() => ({ stored: 17, duplicate: 0, spilled: 0 })))
    expect(counts().batches).toBeLessThan(20)
    expect(await storedIn(dir)).toHaveLength(3_400)
  })

  it('puts a tick into the day of its own time, however the days are mixed', async () => {
    const dir = folderForTest()
    const { writer } = openForTest(dir)
    const mixed = Array.from({ length: 300 }, (_, n) =>
      tickOf(n, { time: Date.UTC(2026, 0, 19 + (n % 3)) + n }),
    )
    const [some, others] = await Promise.all([writer.add(mixed.slice(0, 100)), writer.add(mixed.slice(100))])
    expect([some.stored, others.stored]).toEqual([100, 200])
    expect(sorted(await storedIn(dir))).toEqual(sorted(mixed))
    expect(readdirSync(`${dir}/2026/01`).filter((name) => name.endsWith('.db'))).toHaveLength(3)
  })

  it('gathers few ticks for their time, and does not let who brings many wait for it', async () => {
    const { writer, told } = openForTest(folderForTest(), { batchMs: 3_600_000, closeMs: 60_000 })
    await writer.add([tickOf(0)])
    const few = writer.add([tickOf(1)])
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(await writer.add(ticksFrom(2, 500))).toMatchObject({ stored: 500 })
    expect(await few).toMatchObject({ stored: 1 })
    expect(told('flushed')).toMatchObject([{ stored: 1 }, { stored: 501 }])
  })

  it('refuses a list with a tick that no store can hold, and stores none of it', async () => {
    const dir = folderForTest()
    const { writer } = openForTest(dir)
    const refused = writer.add([tickOf(0), tickOf(1, { bid: Number.NaN })])
    await expect(refused).rejects.toMatchObject({ code: 'PAYLOAD_INVALID' })
    await writer.add([tickOf(2)])
    expect(await storedIn(dir)).toHaveLength(1)
  })

  it('writes everything that was added before it was closed, and takes nothing afterwards', async () => {
    const dir = folderForTest()
    const { writer } = openForTest(dir, {
      queueMax: 1_000,
      batchTicks: 100,
      batchMs: 60_000,
      closeMs: 60_000,
    })
    await writer.add([tickOf(0)])
    const adds = [writer.add(ticksFrom(1, 950)), writer.add(ticksFrom(951, 3_000))]
    await writer.close()
    expect(await Promise.all(adds)).toMatchObject([{ stored: 950 }, { stored: 3_000 }])
    expect(await storedIn(dir)).toHaveLength(3_951)
    expect(readdirSync(`${dir}/2026/01`).filter((name) => name.endsWith('-wal'))).toEqual([])
    await expect(writer.add([tickOf(0)])).rejects.toMatchObject({ code: 'USAGE' })
    await writer.close()
  })

  it.each([2, 4, 6])(
    'forgets no batch that comes of age between two looks at the clock, %i ms apart',
    async (step) => {
      let now = 0
      const clock = { ...systemClock, monotonic: () => (now += step) }
      const { writer } = openForTest(folderForTest(), { clock, batchMs: 10 })
      for (let n = 0; n < 20; n++) expect(await writer.add([tickOf(n)])).toMatchObject({ stored: 1 })
    },
  )

  it('lets callers wait when the queue is full, without holding up the loop', async () => {
    const dir = folderForTest()
    const { writer, counts } = openForTest(dir, { queueMax: 500, batchTicks: 100, closeMs: 60_000 })
    await writer.add([tickOf(0)])
    const locker = await lockedByAnother(dayFile(dir, '2026-01-19'))
    const adds = [writer.add(ticksFrom(1, 400)), writer.add(ticksFrom(401, 400))]
    const ready = writer.ready()
    await eventually(() => counts().retries > 3)
    expect(writer.health()).toMatchObject({ queued: 500, waiting: 300, queueMax: 500 })
    let isReady = false
    void ready.then(() => {
      isReady = true
    })
    // Turns of the loop pass while the thread waits for the file.
    for (let turn = 0; turn < 1_000; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(isReady).toBe(false)
    await locker.release()
    expect(await Promise.all([...adds, ready])).toMatchObject([{ stored: 400 }, { stored: 400 }, undefined])
    expect(await storedIn(dir)).toHaveLength(801)
  })
})

describe('the thread of the writer', () => {
  it('may die: what it held is refused, another one goes on, and added again nothing is stored twice', async () => {
    const dir = folderForTest()
    const { writer, told, counts } = openForTest(dir)
    await writer.add(ticksFrom(0, 10))
    const [before, deadly] = await Promise.allSettled([
      writer.add(ticksFrom(10, 100)),
      writer.add([tickOf(0, { symbol: 'DIE' })]),
    ])
    expect([before, deadly]).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }])
    expect((deadly as PromiseRejectedResult).reason).toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
      facts: { commit: 'unknown' },
    })
    expect(told('died')).toEqual([{ reason: 'it ended with code 3', refused: 101 }])
    const again = await writer.add(ticksFrom(0, 110))
    expect(again).toEqual({ stored: 100, duplicate: 10, spilled: 0 })
    expect(writer.health()).toMatchObject({ ok: true, queued: 0 })
    expect(counts()).toMatchObject({ refused: 101, failures: 1 })
  })

  it('may die while it waits for a day; nothing is held afterwards', async () => {
    const dir = folderForTest()
    const { writer, counts } = openForTest(dir)
    await writer.add([tickOf(0)])
    const locker = await lockedByAnother(dayFile(dir, '2026-01-19'))
    const waiting = writer.add(ticksFrom(1, 10))
    await eventually(() => counts().retries > 0)
    const deadly = writer.add([tickOf(0, { symbol: 'DIE', time: tickOf(0).time + DAY_MS })])
    expect(await Promise.allSettled([waiting, deadly])).toMatchObject([
      { status: 'rejected' },
      { status: 'rejected' },
    ])
    await locker.release()
    expect(await writer.add(ticksFrom(1, 10))).toMatchObject({ stored: 10 })
    expect(writer.health()).toMatchObject({ ok: true, queued: 0 })
  })

  it('may die of spilled ticks three times; then their file stays, and the others go on', async () => {
    const dir = folderForTest()
    const spill = spillIn(dir)
    await spill.append([batchOf([tickOf(0, { symbol: 'DIE' })])])
    await spill.append([batchOf(ticksFrom(0, 100))])
    await spill.close()
    const { writer, told, counts } = openForTest(dir)
    expect(writer.health().inSpill).toBe(101)
    await eventually(() => writer.health().inSpill === 0)
    expect(told('kept')).toMatchObject([{ count: 1 }])
    expect(counts().failures).toBe(3)
    expect(await storedIn(dir)).toHaveLength(100)
    await writer.close()
    expect(readdirSync(join(dir, 'spill'))).toHaveLength(1)
  })
})
