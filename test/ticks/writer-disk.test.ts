import { spawnSync } from 'node:child_process'
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import SqliteFile from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/kernel/index.ts'
import { batchOf } from '../../src/ticks/batch.ts'
import { openTickQueue } from '../../src/ticks/queue.ts'
import type { Spilled } from '../../src/ticks/spill-line.ts'
import { tickEmitter } from '../../src/ticks/tick-events.ts'
import { openHanded } from '../../src/ticks/writer-handed.ts'
import { openPump } from '../../src/ticks/writer-pump.ts'
import { openTally } from '../../src/ticks/writer-tally.ts'
import { eventually } from '../support/eventually.ts'
import { folderForTest } from './spill-folder.ts'
import { DAY_MS, tickOf, ticksFrom } from './spill-stage.ts'
import { dayFile, lockedByAnother, openForTest, spillIn, storedIn } from './writer-stage.ts'

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
    const { writer, told, counts } = openForTest(dir)
    await writer.add([tickOf(0)])
    const locker = await lockedByAnother(dayFile(dir, DAY))
    const waiting = writer.add([...ticksFrom(1, 50), ...nextDay(0, 50)])
    await eventually(() => counts().retries > 0)
    expect(await writer.add(nextDay(50, 100))).toMatchObject({ stored: 100 })
    await locker.release()
    expect(await waiting).toMatchObject({ stored: 100 })
    expect(await storedIn(dir)).toHaveLength(201)
    expect(told('refused')).toEqual([])
  })

  it('that stays locked is told once, and once when it is free', async () => {
    const dir = folderForTest()
    const { writer, told, counts } = openForTest(dir)
    await writer.add([tickOf(0)])
    const locker = await lockedByAnother(dayFile(dir, DAY))
    const waiting = writer.add(ticksFrom(1, 50))
    await eventually(() => told('failing').length > 0)
    expect(writer.health()).toMatchObject({ ok: false, failing: [{ day: DAY, code: 'DATABASE_BUSY' }] })
    const { retries } = counts()
    await eventually(() => counts().retries > retries + 1)
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
    const { writer, told, counts } = openForTest(disk)
    await writer.add([tickOf(0)])
    const free = fill(disk)
    // For the second of them a folder has to be made, which is no matter of SQLite.
    const february = ticksFrom(2_001, 2_000).map((one) => ({ ...one, time: one.time + 31 * DAY_MS }))
    const adds = [writer.add(ticksFrom(1, 2_000)), writer.add(february)]
    await eventually(() => told('failing').length === 2 && counts().retries > 6)
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
    const { writer, told, counts } = openForTest(disk, { full: 'spill', spillDir })
    await writer.add([tickOf(0)])
    const free = fill(disk)
    // Also what the thread had when the disk began to fail: nobody waits for it.
    expect(await writer.add(ticksFrom(1, 9_000))).toEqual({ stored: 0, duplicate: 0, spilled: 9_000 })
    expect(told('failing')).toHaveLength(1)
    expect(await writer.add(ticksFrom(9_001, 1_000))).toEqual({ stored: 0, duplicate: 0, spilled: 1_000 })
    expect(writer.health().inSpill).toBe(10_000)
    free()
    await eventually(() => writer.health().inSpill === 0)
    expect(await storedIn(disk)).toHaveLength(10_001)
    expect(counts()).toMatchObject({ spilled: 10_000, drained: 10_000 })
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
    await eventually(() => told('unspilled').length > 0 && writer.health().queued === 20_000)
    free()
    const done = await Promise.all([first, second])
    // The first of them is what the thread tries again and again, and then there twice.
    const counts = done.map(({ stored, duplicate, spilled }) => stored + duplicate + spilled)
    expect(counts).toEqual([10_000, 10_000])
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
    const { writer, told, counts } = openForTest(disk)
    const add = writer.add(ticksFrom(1, 100))
    await eventually(() => counts().retries > 2)
    expect(told('failing')).toMatchObject([{ day: DAY, code: 'DATABASE_UNAVAILABLE' }])
    expect(remount('rw')).toBe(0)
    expect(await add).toMatchObject({ stored: 100 })
    expect(writer.health().ok).toBe(true)
  })
})

/** What may become of the file of a day; answers how to mend it. */
const FAULTS: Record<string, readonly [code: string, spoil: (path: string) => void]> = {
  'that is damaged': ['TICKS_DAMAGED', (path) => writeFileSync(path, Buffer.alloc(8_192, 'no database '))],
  'that is a link': [
    'DATABASE_INVALID',
    (path) => {
      rmSync(path)
      symlinkSync(`${path}.elsewhere`, path)
    },
  ],
  'of a newer program': [
    'DATABASE_INVALID',
    (path) => {
      const file = new SqliteFile(path)
      file.pragma('user_version = 99')
      file.close()
    },
  ],
}

describe.each(Object.entries(FAULTS))('a file %s', (_, [code, spoil]) => {
  it('holds up no other day; ticks of its day are kept aside, over a restart, until it is mended', async () => {
    const dir = folderForTest()
    const path = dayFile(dir, DAY)
    const before = openForTest(dir)
    await before.writer.add([tickOf(0)])
    await before.writer.close()
    const whole = readFileSync(path)
    spoil(path)
    // Left by a process before, which had no room for them: both days in one record.
    const spill = spillIn(dir)
    await spill.append([batchOf([...ticksFrom(1, 10), ...nextDay(0, 10)])])
    await spill.close()

    const during = openForTest(dir)
    await eventually(() => during.told('drained').length === 1)
    const both = [...ticksFrom(11, 10), ...nextDay(10, 10)]
    const aside = { stored: 0, duplicate: 0, spilled: 10 }
    expect(await during.writer.add(both)).toEqual({ ...aside, stored: 10 })
    expect(await during.writer.add(ticksFrom(21, 10))).toEqual(aside)
    expect(await during.writer.add(nextDay(20, 10))).toMatchObject({ stored: 10 })
    expect(during.told('failing')).toMatchObject([{ day: DAY, code, reason: expect.stringContaining(path) }])
    expect(during.writer.health()).toMatchObject({ ok: false, queued: 0, failing: [{ day: DAY }] })
    await during.writer.close()
    expect([...during.told('refused'), ...during.told('kept')]).toEqual([])

    const after = openForTest(dir)
    expect(after.writer.health().inSpill).toBeGreaterThanOrEqual(30)
    await eventually(() => after.told('failing').length === 1)
    expect(await after.writer.add(ticksFrom(31, 10))).toEqual(aside)
    // In one step: between two, the writer would make a file of its own.
    writeFileSync(`${path}.mended`, whole)
    renameSync(`${path}.mended`, path)
    await eventually(() => after.writer.health().inSpill === 0)
    expect(after.told('recovered')).toMatchObject([{ day: DAY }])
    expect(after.writer.health()).toMatchObject({ ok: true, queued: 0 })
    await after.writer.close()
    expect(readdirSync(join(dir, 'spill'))).toEqual([])
    expect(await storedIn(dir)).toHaveLength(41 + 30)
  })
})

it('a batch that cannot be written for a reason of its own is kept, and its day goes on', async () => {
  const dir = folderForTest()
  const { writer, told } = openForTest(dir)
  expect(await writer.add([tickOf(0, { symbol: 'FAIL' })])).toMatchObject({ spilled: 1 })
  expect(await writer.add([tickOf(1)])).toMatchObject({ stored: 1 })
  await eventually(() => told('kept').length === 1)
  expect(told('kept')).toMatchObject([{ count: 1, reason: expect.stringContaining('planted') }])
  expect(told('failing')).toEqual([])
  await writer.close()
  expect(readdirSync(join(dir, 'spill'))).toHaveLength(1)
})

it('a batch that was read back when the thread had died goes to the next one', async () => {
  const died = { isUp: true, written: 0, putBack: 0 }
  const found = Promise.withResolvers<Spilled | undefined>()
  const events = tickEmitter()
  const nothing = () => {}
  const spilled: Spilled = {
    ...{ batch: batchOf([tickOf(0)]), times: 1, done: nothing, keep: nothing, again: nothing },
    later: () => void died.putBack++,
  }
  const pump = openPump({
    queue: openTickQueue({ max: 10, batchTicks: 10, now: () => 0, onBegun: nothing, onFull: nothing }),
    handed: openHanded({ events, release: nothing, setAside: nothing }),
    link: { isUp: () => died.isUp, write: () => void died.written++, end: () => Promise.resolve() },
    spill: {
      ...{ ticks: () => 1, isEmpty: () => false, isAgain: () => false, next: () => found.promise },
      ...{ append: () => Promise.resolve(0), close: () => Promise.resolve() },
    },
    overflow: {
      ...{ push: nothing, isEmpty: () => true, takeBack: () => undefined, close: () => Promise.resolve([]) },
    },
    ...{ tally: openTally(undefined), clock: systemClock, batchMs: 10, spillFrom: undefined, readBelow: 5 },
  })
  pump.run()
  died.isUp = false
  found.resolve(spilled)
  await eventually(() => died.putBack + died.written > 0)
  expect(died).toEqual({ isUp: false, written: 0, putBack: 1 })
})
