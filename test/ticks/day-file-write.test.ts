// The files of days: where they are, who may write them at once, and what is done about what should not be there.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import SqliteFile from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Clock, systemClock } from '../../src/kernel/index.ts'
import { batchOf } from '../../src/ticks/batch.ts'
import { openTickFiles, type TickFiles } from '../../src/ticks/sqlite-files.ts'
import type { Tick } from '../../src/ticks/tick.ts'
import { all, demandTicks, written } from './conformance-place.ts'
import { DAY, demandAll, LIST, manyTicks, withStore } from './day-file-ticks.ts'
import { DAY_MS, NOON, tick } from './samples.ts'

describe('the files of ticks', () => {
  let dir: string
  let opened: TickFiles[]
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'sluice-days-'))
    opened = []
  })
  afterEach(() => {
    for (const files of opened) files.close()
    rmSync(dir, { recursive: true })
  })

  const open = ({ busyMs = 20, clock = systemClock }: { busyMs?: number; clock?: Clock } = {}) => {
    const files = openTickFiles({ dir, clock, busyMs })
    opened.push(files)
    return files
  }
  const fileOf = (day: string) => join(dir, day.slice(0, 4), day.slice(5, 7), `ticks_${day}.db`)
  const names = (path = join(dir, '2026/01')) => readdirSync(path).sort()
  const blocks = (day = DAY) => {
    const file = new SqliteFile(fileOf(day), { readonly: true })
    const counts = file.prepare('select count(*) count, max(count) largest from blocks').get()
    file.close()
    return counts as { count: number; largest: number }
  }
  /** Holds the lock of a writer on a day's file. */
  const hold = (day: string) => {
    const file = new SqliteFile(fileOf(day))
    file.exec('begin immediate')
    return () => file.close()
  }

  it('are one for each UTC day of the ticks, under year and month, with nothing beside them when closed', async () => {
    const times = [NOON, NOON + DAY_MS, NOON - 20 * DAY_MS]
    await withStore(dir, (store) => store.write(times.map((time) => tick({ time }))))
    expect(names()).toEqual(['ticks_2026-01-19.db', 'ticks_2026-01-20.db'])
    expect(names(join(dir, '2025/12'))).toEqual(['ticks_2025-12-30.db'])
    expect(names(dir)).toEqual(['2025', '2026', 'days.lock'])
  })

  it('do not collect small blocks, and give the same ticks when those are merged', async () => {
    const ticks = Array.from({ length: 4_700 }, (_, n) => tick({ time: NOON + n, bid: 1 + n / 1e5 }))
    const late = [17, 1_700, 3_900].map((n) => tick({ time: NOON + n, nanos: 5, bid: 2 }))
    const files = open()
    const write = (some: readonly Tick[]) => files.write(batchOf(some))
    for (const one of ticks.slice(0, 70)) write([one])
    expect(blocks()).toEqual({ count: 6, largest: 65 })
    for (let at = 70; at < ticks.length; at += 65) {
      write(ticks.slice(at, at + 65))
      if (at % 1_000 < 65) write(late.filter(({ time }) => time < NOON + at))
    }
    expect(blocks().count).toBeLessThan(30)
    expect(blocks().largest).toBe(4_096)
    const wanted = [...ticks, ...late].sort((a, b) => a.time - b.time || a.nanos - b.nanos)
    await withStore(dir, async (store) => demandTicks(await all(store), wanted))
    expect(write([...late, ...ticks.slice(0, 3_000)])).toEqual(written(0, 3_003))
  })

  it('are written by several processes at once, each tick once', async () => {
    const child = join(import.meta.dirname, 'day-file-child.ts')
    const children = [1, 2, 3].map(() =>
      spawn(process.execPath, [child, dir, 'write', '10'], { stdio: ['ignore', 'pipe', 'inherit'] }),
    )
    const told = await Promise.all(children.map((one) => text(one.stdout)))
    const results = told.map((lines) =>
      lines
        .trim()
        .split('\n')
        .map((line) => line.split(' ').map(Number)),
    )
    const sum = (part: number) => results.flat().reduce((total, result) => total + result[part]!, 0)
    expect([sum(0), sum(1)]).toEqual([10 * LIST, 20 * LIST])
    await demandAll(dir, manyTicks(10 * LIST))
  })

  it('keep what was acknowledged when the writer is killed', async () => {
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, 'day-file-child.ts'), dir, 'write', '200'],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    let acknowledged = 0
    child.stdout.on('data', (data: Buffer) => {
      acknowledged += data.toString().split('\n').length - 1
      if (acknowledged >= 10) child.kill('SIGKILL')
    })
    await once(child, 'close')
    const ticks = manyTicks(200 * LIST)
    await withStore(dir, async (store) => {
      const kept = (await store.series()).reduce((sum, one) => sum + one.ticks, 0)
      expect(kept).toBeGreaterThanOrEqual(acknowledged * LIST)
      expect(kept % LIST).toBe(0)
      // The source sends again what it had no answer to.
      expect(await store.write(ticks)).toEqual(written(ticks.length - kept, kept))
    })
    await demandAll(dir, ticks)
  })

  it('refuse while another writes, and count the whole when the same batch comes again', () => {
    const files = open()
    const days = [DAY, '2026-01-20']
    files.write(batchOf(days.map((_, n) => tick({ time: NOON + n * DAY_MS }))))
    const batch = batchOf([0, 0, 1, 1].map((day, n) => tick({ time: NOON + day * DAY_MS + n })))
    const release = hold('2026-01-20')
    expect(() => files.write(batch)).toThrow(expect.objectContaining({ code: 'DATABASE_BUSY' }))
    expect(() => files.write(batch)).toThrow(expect.objectContaining({ code: 'DATABASE_BUSY' }))
    release()
    expect(files.write(batch)).toEqual(written(3, 1))
  })

  it('are left in the middle of nothing when a write fails', async () => {
    const files = open()
    files.write(batchOf([tick()]))
    const before = blocks()
    const release = hold(DAY)
    expect(() => files.write(batchOf([tick({ bid: 5 })]))).toThrow()
    release()
    expect(blocks()).toEqual(before)
  })

  it('of days that are over are closed after their grace, whoever reads them', async () => {
    let now = NOON
    const files = open({ clock: { ...systemClock, now: () => now } })
    files.write(batchOf([tick(), tick({ time: NOON + DAY_MS })]))
    const logs = () => names().filter((name) => name.endsWith('-wal'))
    now = NOON + DAY_MS / 2 + 59_000
    files.checkpoint()
    expect(logs()).toHaveLength(2)
    now += 2_000
    files.checkpoint()
    expect(logs()).toEqual(['ticks_2026-01-20.db-wal'])
    expect(files.write(batchOf([tick({ time: NOON + 5 })]))).toEqual(written(1))
    await withStore(dir, async (store) => expect((await all(store)).length).toBe(3))
  })

  it('go on where the one who made a file was killed before it had tables', async () => {
    mkdirSync(join(dir, '2026/01'), { recursive: true })
    for (const beside of ['', '-wal', '-shm']) writeFileSync(fileOf(DAY) + beside, '')
    await withStore(dir, async (store) => {
      expect(await all(store)).toEqual([])
      expect(await store.write([tick()])).toEqual(written(1))
      demandTicks(await all(store), [tick()])
    })
  })

  it('are not taken from the log of a former file of the same name', async () => {
    await withStore(dir, async (store) => {
      await store.write([tick()])
      for (const one of [fileOf(DAY), `${fileOf(DAY)}-shm`]) rmSync(one)
      expect(existsSync(`${fileOf(DAY)}-wal`)).toBe(true)
      // The store still has the removed file open; it must not write into it.
      expect(await store.write([tick({ bid: 2 })])).toEqual(written(1))
      demandTicks(await all(store), [tick({ bid: 2 })])
    })
    await withStore(dir, async (store) => demandTicks(await all(store), [tick({ bid: 2 })]))
  })

  it('that are links are refused, and their targets stay as they are', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'sluice-outside-'))
    try {
      await withStore(outside, (store) => store.write([tick()]))
      mkdirSync(join(dir, '2026'))
      symlinkSync(join(outside, '2026/01'), join(dir, '2026/01'))
      const refused = { code: 'DATABASE_INVALID', message: expect.stringContaining('not followed') }
      await withStore(dir, async (store) => {
        await expect(store.write([tick({ bid: 3 })])).rejects.toMatchObject(refused)
        expect(await store.series()).toEqual([])
        rmSync(join(dir, '2026/01'))
        mkdirSync(join(dir, '2026/01'))
        symlinkSync(join(outside, '2026/01/ticks_2026-01-19.db'), fileOf(DAY))
        await expect(store.write([tick({ bid: 3 })])).rejects.toMatchObject(refused)
        expect(await all(store)).toEqual([])
      })
      await demandAll(outside, [tick()])
    } finally {
      rmSync(outside, { recursive: true })
    }
  })

  it('of other names are left alone', async () => {
    await withStore(dir, (store) => store.write([tick()]))
    const others = [
      'ticks_2026-01-18.db.bak',
      'ticks_2026-1-18.db',
      'ticks_2026-02-01.db',
      'ticks_2026-01-32.db',
      'a.db',
    ]
    for (const name of others) writeFileSync(join(dir, '2026/01', name), 'not ours')
    writeFileSync(join(dir, 'ticks_2026-01-18.db'), 'not ours')
    mkdirSync(join(dir, 'ticks-evil'))
    await demandAll(dir, [tick()])
  })

  it('tell what is in the way: a folder that is a file, a file that is no database', async () => {
    writeFileSync(join(dir, '2026'), '')
    mkdirSync(join(dir, '2025/01'), { recursive: true })
    writeFileSync(fileOf('2025-01-19'), 'no database, '.repeat(1_000))
    const files = open()
    const write = (time: number) => () => files.write(batchOf([tick({ time })]))
    expect(write(NOON)).toThrow(expect.objectContaining({ code: 'DATABASE_UNAVAILABLE' }))
    const damaged = { code: 'TICKS_DAMAGED', message: expect.stringContaining('ticks_2025-01-19.db') }
    expect(write(NOON - 365 * DAY_MS)).toThrow(expect.objectContaining(damaged))
  })

  it('hold the ticks of a series that nobody else may take for its own', async () => {
    const ticks: Tick[] = ['a', 'b'].flatMap((source) =>
      [1, 2].map((bid) => tick({ source, bid, sequence: bid })),
    )
    await withStore(dir, async (store) => {
      expect(await store.write(ticks)).toEqual(written(4))
      expect(await store.write(ticks.toReversed())).toEqual(written(0, 4))
    })
    await demandAll(dir, ticks)
  })
})
