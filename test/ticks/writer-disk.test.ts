import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { folderForTest } from './spill-folder.ts'
import { DAY_MS, tickOf, ticksFrom } from './spill-stage.ts'
import { dayFile, lockedByAnother, openForTest, storedIn } from './writer-stage.ts'

const DAY = '2026-01-19'
const nextDay = (from: number, count: number) =>
  ticksFrom(from, count).map((one) => ({ ...one, time: one.time + DAY_MS }))

/** A disk of that size; undefined, with a visible line, where none may be mounted. */
function smallDisk(size: string): string | undefined {
  const path = mkdtempSync(join(tmpdir(), 'sluice-disk-'))
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path], {
    encoding: 'utf8',
  })
  if (status !== 0) {
    rmSync(path, { recursive: true })
    process.stderr.write(`no disk can be mounted (${stderr?.trim()}): its tests are skipped\n`)
    return undefined
  }
  onTestFinished(() => {
    spawnSync('umount', [path])
    rmSync(path, { recursive: true, force: true })
  })
  return path
}

/** Leaves no byte free; answers how to free them. */
function fill(disk: string): () => void {
  const path = join(disk, 'filler')
  for (let bytes = 2 ** 20; bytes >= 1; bytes = bytes >> 1) {
    for (;;) {
      try {
        writeFileSync(path, Buffer.alloc(bytes), { flag: 'a' })
      } catch {
        break
      }
    }
  }
  return () => rmSync(path)
}

describe('a file that another process locks', () => {
  it('is waited for; the other days go on meanwhile', async () => {
    const dir = folderForTest()
    const { writer, told } = openForTest(dir)
    await writer.add([tickOf(0)])
    const locker = await lockedByAnother(dayFile(dir, DAY))
    const waiting = writer.add([...ticksFrom(1, 50), ...nextDay(0, 50)])
    await eventually(() => writer.counts().retries > 0)
    expect(await writer.add(nextDay(50, 100))).toMatchObject({ stored: 100 })
    await locker.release()
    expect(await waiting).toMatchObject({ stored: 100 })
    expect(await storedIn(dir)).toHaveLength(201)
    expect(told('refused')).toEqual([])
  })

  it('that stays locked is told once, and once when it is free', async () => {
    const dir = folderForTest()
    const { writer, told } = openForTest(dir)
    await writer.add([tickOf(0)])
    const locker = await lockedByAnother(dayFile(dir, DAY))
    const waiting = writer.add(ticksFrom(1, 50))
    await eventually(() => told('failing').length > 0)
    expect(writer.health()).toMatchObject({ ok: false, failing: [{ day: DAY, code: 'DATABASE_BUSY' }] })
    const { retries } = writer.counts()
    await eventually(() => writer.counts().retries > retries + 1)
    await locker.release()
    expect(await waiting).toMatchObject({ stored: 50 })
    expect(told('failing')).toMatchObject([
      { day: DAY, code: 'DATABASE_BUSY', reason: expect.stringContaining(DAY) },
    ])
    expect(told('recovered')).toMatchObject([{ day: DAY }])
    expect(writer.health().ok).toBe(true)
  })
})

describe('a full disk', () => {
  it('is told once; what was accepted is kept, and written when there is room', async () => {
    const disk = smallDisk('4m')
    if (!disk) return expect(disk).toBeUndefined()
    const { writer, told } = openForTest(disk)
    await writer.add([tickOf(0)])
    const free = fill(disk)
    // For the second of them a folder has to be made, which is no matter of SQLite.
    const february = ticksFrom(2_001, 2_000).map((one) => ({ ...one, time: one.time + 31 * DAY_MS }))
    const adds = [writer.add(ticksFrom(1, 2_000)), writer.add(february)]
    await eventually(() => told('failing').length === 2 && writer.counts().retries > 6)
    const code = 'DATABASE_UNAVAILABLE'
    expect(writer.health()).toMatchObject({ ok: false, failing: [{ day: DAY, code }, { code }] })
    expect(writer.health().failing[0]!.since).toBeGreaterThan(0)
    free()
    expect(await Promise.all(adds)).toMatchObject([{ stored: 2_000 }, { stored: 2_000 }])
    expect(told('failing')).toHaveLength(2)
    expect(told('recovered')).toHaveLength(2)
    expect(writer.health()).toMatchObject({ ok: true, failing: [], queued: 0 })
    expect(await storedIn(disk)).toHaveLength(4_001)
  })

  it('that stays full does not keep a writer from closing; who waits is told', async () => {
    const disk = smallDisk('4m')
    if (!disk) return expect(disk).toBeUndefined()
    const { writer, told } = openForTest(disk, { queueMax: 1_000, batchTicks: 100 })
    await writer.add([tickOf(0)])
    fill(disk)
    const adds = Promise.allSettled([writer.add(ticksFrom(1, 600)), writer.add(ticksFrom(601, 600))])
    await eventually(() => told('failing').length > 0)
    await writer.close()
    const reason = { code: 'DATABASE_UNAVAILABLE', facts: { commit: 'unknown' } }
    expect(await adds).toMatchObject([{ reason }, { reason }])
  })

  it('makes a writer spill to another disk, and comes back to what was spilled', async () => {
    const disk = smallDisk('4m')
    if (!disk) return expect(disk).toBeUndefined()
    const spillDir = folderForTest()
    const { writer, told } = openForTest(disk, { full: 'spill', spillDir })
    await writer.add([tickOf(0)])
    const free = fill(disk)
    const first = writer.add(ticksFrom(1, 9_000))
    await eventually(() => told('failing').length > 0)
    expect(await writer.add(ticksFrom(9_001, 1_000))).toEqual({ stored: 0, duplicate: 0, spilled: 1_000 })
    expect(writer.health().inSpill).toBeGreaterThanOrEqual(1_000)
    free()
    const { stored, spilled } = await first
    expect(stored + spilled).toBe(9_000)
    await eventually(() => writer.health().inSpill === 0)
    expect(await storedIn(disk)).toHaveLength(10_001)
    expect(writer.counts()).toMatchObject({ stored: 10_001, spilled: 1_000 + spilled })
  })

  it('for the spill files as well makes callers wait until one of both goes on', async () => {
    const disk = smallDisk('4m')
    if (!disk) return expect(disk).toBeUndefined()
    const { writer, told } = openForTest(disk, { full: 'spill' })
    await writer.add([tickOf(0)])
    const free = fill(disk)
    const first = writer.add(ticksFrom(1, 10_000))
    await eventually(() => told('failing').length > 0)
    const second = writer.add(ticksFrom(10_001, 10_000))
    await eventually(() => told('unspilled').length > 0)
    expect(writer.health().queued).toBe(20_000)
    free()
    const done = await Promise.all([first, second])
    expect(done.map(({ stored, spilled }) => stored + spilled)).toEqual([10_000, 10_000])
    await eventually(() => writer.health().queued === 0 && writer.health().inSpill === 0)
    expect(await storedIn(disk)).toHaveLength(20_001)
  })
})

describe('a disk that is read-only', () => {
  it('is waited for; its files are opened anew when it can be written', async () => {
    const disk = smallDisk('4m')
    if (!disk) return expect(disk).toBeUndefined()
    const before = openForTest(disk)
    await before.writer.add([tickOf(0)])
    await before.writer.close()
    const remount = (how: 'ro' | 'rw') => spawnSync('mount', ['-o', `remount,${how}`, disk]).status
    expect(remount('ro')).toBe(0)
    const { writer, told } = openForTest(disk)
    const add = writer.add(ticksFrom(1, 100))
    await eventually(() => writer.counts().retries > 2)
    expect(told('failing')).toMatchObject([{ day: DAY, code: 'DATABASE_UNAVAILABLE' }])
    expect(remount('rw')).toBe(0)
    expect(await add).toMatchObject({ stored: 100 })
    expect(writer.health().ok).toBe(true)
  })
})

describe('a damaged file', () => {
  it('is named and left as it is; other days go on', async () => {
    const dir = folderForTest()
    const path = dayFile(dir, DAY)
    mkdirSync(join(path, '..'), { recursive: true })
    const damage = Buffer.alloc(8_192, 'this is no database ')
    writeFileSync(path, damage)
    const { writer, told } = openForTest(dir)
    const adds = [
      writer.add(ticksFrom(0, 10)),
      writer.add(nextDay(0, 10)),
      writer.add([tickOf(10), ...nextDay(10, 10)]),
    ]
    const [bad, good, both] = await Promise.allSettled(adds)
    const named = { code: 'TICKS_DAMAGED', message: expect.stringContaining(`ticks_${DAY}.db`) }
    expect(bad).toMatchObject({ status: 'rejected', reason: named })
    expect(both).toMatchObject({ status: 'rejected', reason: named })
    expect(good).toMatchObject({ status: 'fulfilled', value: { stored: 10 } })
    expect(told('refused').map(({ count }) => count)).toEqual([11])
    expect(writer.health()).toMatchObject({ ok: true, queued: 0 })
    await writer.close()
    expect(readFileSync(path)).toEqual(damage)
    rmSync(path)
    expect(await storedIn(dir)).toHaveLength(20)
  })

  it('keeps the spilled ticks of its day in their file for the next start', async () => {
    const dir = folderForTest()
    const before = openForTest(dir, { full: 'spill', queueMax: 16, closeMs: 0 })
    await before.writer.add([tickOf(0)])
    const locker = await lockedByAnother(dayFile(dir, DAY))
    const stuck = Promise.allSettled([before.writer.add(ticksFrom(1, 10))])
    expect(await before.writer.add(ticksFrom(11, 10))).toMatchObject({ spilled: 10 })
    await before.writer.close()
    expect(await stuck).toMatchObject([{ status: 'rejected' }])
    await locker.release()
    const whole = readFileSync(dayFile(dir, DAY))
    writeFileSync(dayFile(dir, DAY), Buffer.alloc(8_192, 'damaged '))

    const meanwhile = openForTest(dir)
    await eventually(() => meanwhile.writer.health().inSpill === 0)
    expect(meanwhile.told('kept')[0]!.reason).toContain(DAY)
    expect(meanwhile.told('refused')).toEqual([])
    await meanwhile.writer.close()

    writeFileSync(dayFile(dir, DAY), whole)
    const after = openForTest(dir)
    await eventually(() => after.writer.health().inSpill === 0)
    await after.writer.close()
    expect(readdirSync(join(dir, 'spill'))).toEqual([])
    expect((await storedIn(dir)).filter(({ volume }) => volume > 10)).toHaveLength(10)
  })
})
