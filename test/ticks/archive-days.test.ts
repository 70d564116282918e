// Days into archives and back: the same answers at every moment, and nothing removed that was not found again.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import SqliteFile from 'better-sqlite3'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/kernel/index.ts'
import { openTickArchive } from '../../src/ticks/archive.ts'
import type { Tick } from '../../src/ticks/tick.ts'
import { eventually } from '../support/eventually.ts'
import { all, demandTicks, written } from './conformance-place.ts'
import { DAY, demandAll, manyTicks, withArchive, withStore } from './day-file-ticks.ts'
import { NOON, tick } from './samples.ts'

const TICKS = manyTicks(6_000)
const LATE = tick({ symbol: 'SYM1', source: 'alpha', time: TICKS[3_000]!.time, nanos: 1, bid: 7 })
const inOrder = (ticks: readonly Tick[]): Tick[] =>
  ticks.toSorted((a, b) => a.time - b.time || a.nanos - b.nanos || a.sequence - b.sequence)

describe('an archived day', () => {
  let made: string
  let dir: string
  let folder: string
  let open: string
  let archived: string
  beforeAll(async () => {
    made = mkdtempSync(join(tmpdir(), 'sluice-archive-'))
    await withStore(made, (store) => store.write(TICKS))
  })
  afterAll(() => rmSync(made, { recursive: true }))
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'sluice-archive-'))
    cpSync(made, dir, { recursive: true })
    folder = join(dir, '2026/01')
    open = join(folder, `ticks_${DAY}.db`)
    archived = join(folder, `ticks_${DAY}.archive.db`)
  })
  afterEach(() => rmSync(dir, { recursive: true }))

  const names = () => readdirSync(folder).sort()
  const compress = () => withArchive(dir, (archive) => archive.compress(DAY))
  const restore = () => withArchive(dir, (archive) => archive.restore(DAY))
  const problems = () => withArchive(dir, (archive) => archive.verify(DAY).problems)
  const state = () => withArchive(dir, (archive) => archive.list()[0])
  const only = { archive: [`ticks_${DAY}.archive.db`], open: [`ticks_${DAY}.db`] }

  it('gives the same answers, is smaller, and can be opened again', async () => {
    const before = await state()
    expect(before).toMatchObject({ day: DAY, state: 'open', ticks: 6_000, series: 8, ratio: undefined })
    const after = await compress()
    expect(after).toMatchObject({ state: 'archived', ticks: 6_000, series: 8 })
    expect(after.bytes).toBe(statSync(archived).size)
    expect(after.ratio).toBeGreaterThan(1)
    expect(names()).toEqual(only.archive)
    await demandAll(dir, TICKS)
    expect(await problems()).toEqual([])
    expect(await compress()).toEqual(after)
    expect(await restore()).toMatchObject({ state: 'open', ticks: 6_000 })
    expect(names()).toEqual(only.open)
    await demandAll(dir, TICKS)
    expect(await problems()).toEqual([])
  })

  it('takes late ticks into a file beside it, knows what it holds itself, and is joined with them', async () => {
    await compress()
    await withStore(dir, async (store) => {
      expect(await store.write([...TICKS.slice(0, 1_000), LATE])).toEqual(written(1, 1_000))
      const other = { ...TICKS[10]!, bid: 9 }
      expect(await store.write([other, other])).toEqual(written(1, 1))
    })
    const taken = TICKS.filter(({ symbol, source, time, nanos }) => {
      const one = TICKS[10]!
      return symbol === one.symbol && source === one.source && time === one.time && nanos === one.nanos
    }).length
    const whole = inOrder([...TICKS, LATE, { ...TICKS[10]!, bid: 9, sequence: taken }])
    expect(await state()).toMatchObject({ state: 'both', ticks: 6_002 })
    await demandAll(dir, whole)
    expect(await problems()).toEqual([])
    expect(await compress()).toMatchObject({ state: 'archived', ticks: 6_002 })
    await demandAll(dir, whole)
  })

  it('is restored together with what came later', async () => {
    await compress()
    await withStore(dir, (store) => store.write([LATE]))
    expect(await restore()).toMatchObject({ state: 'open', ticks: 6_001 })
    expect(names()).toEqual(only.open)
    await demandAll(dir, inOrder([...TICKS, LATE]))
  })

  it('is written and read by who had the former file open', async () => {
    await withStore(dir, async (store) => {
      await store.write([tick({ symbol: 'SYM0', time: NOON - 1 })])
      expect((await all(store, 'SYM1')).length).toBeGreaterThan(0)
      await compress()
      expect(await store.write([LATE])).toEqual(written(1))
      expect((await all(store, 'SYM1')).filter(({ bid }) => bid === 7)).toEqual([LATE])
      await compress()
      expect(await store.write([LATE])).toEqual(written(0, 1))
      await restore()
      expect(await store.write([LATE, { ...LATE, nanos: 2 }])).toEqual(written(1, 1))
    })
    await demandAll(
      dir,
      inOrder([...TICKS, LATE, { ...LATE, nanos: 2 }, tick({ symbol: 'SYM0', time: NOON - 1 })]),
    )
  })

  it('may be archived in the middle of a long answer', async () => {
    const more = Array.from({ length: 30_000 }, (_, n) => tick({ time: NOON + n * 100, bid: 1 + n / 1e5 }))
    await withStore(dir, async (store) => {
      await store.write(more)
      const answer = all(store)
      await compress()
      demandTicks(await answer, more)
    })
  })

  it('is refused for a day that is not over, that has no ticks, or that is none', async () => {
    const now = NOON
    const archive = openTickArchive({ dir, clock: { ...systemClock, now: () => now } })
    try {
      expect(() => archive.compress(DAY)).toThrow(expect.objectContaining({ code: 'USAGE' }))
      expect(() => archive.compress('2026-02-30')).toThrow(expect.objectContaining({ code: 'USAGE' }))
      for (const ask of [archive.compress, archive.verify, archive.restore]) {
        expect(() => ask('2026-01-18')).toThrow(expect.objectContaining({ code: 'FILE_NOT_FOUND' }))
      }
    } finally {
      archive.close()
    }
    expect(names()).toEqual(only.open)
  })

  it('is made by one process at a time', async () => {
    const lock = new SqliteFile(join(dir, 'archive.lock'))
    lock.exec('create table gate (key integer); begin exclusive')
    await expect(compress()).rejects.toMatchObject({ code: 'DATABASE_BUSY' })
    lock.close()
    expect(await compress()).toMatchObject({ state: 'archived' })
  })

  describe('after a kill', () => {
    it('goes on over a draft, half or whole', async () => {
      const draft = `${archived}.draft`
      for (const left of ['', 'half of something, '.repeat(900)]) {
        for (const beside of ['', '-wal', '-shm']) writeFileSync(draft + beside, left)
        await demandAll(dir, TICKS)
        expect(await compress()).toMatchObject({ state: 'archived', ticks: 6_000 })
        expect(names()).toEqual(only.archive)
        for (const beside of ['', '-wal', '-shm']) writeFileSync(draft + beside, left)
        expect(await restore()).toMatchObject({ state: 'open', ticks: 6_000 })
        expect(names()).toEqual(only.open)
      }
      await demandAll(dir, TICKS)
    })

    it('counts ticks once while both files are there, and removes the one that was archived', async () => {
      copyFileSync(open, `${open}.kept`)
      await compress()
      renameSync(`${open}.kept`, open)
      expect(await state()).toMatchObject({ state: 'both', ticks: 6_000, series: 8 })
      await demandAll(dir, TICKS)
      const made = statSync(archived).ino
      await compress()
      expect(names()).toEqual(only.archive)
      expect(statSync(archived).ino).toBe(made)
      await demandAll(dir, TICKS)
    })

    it('joins what came while both files were there', async () => {
      copyFileSync(open, `${open}.kept`)
      await compress()
      renameSync(`${open}.kept`, open)
      await withStore(dir, async (store) =>
        expect(await store.write([...TICKS, LATE])).toEqual(written(1, 6_000)),
      )
      expect(await state()).toMatchObject({ state: 'both', ticks: 6_001 })
      expect(await compress()).toMatchObject({ state: 'archived', ticks: 6_001 })
      await demandAll(dir, inOrder([...TICKS, LATE]))
    })

    it('removes the archive that was restored', async () => {
      await compress()
      copyFileSync(archived, `${archived}.kept`)
      await restore()
      renameSync(`${archived}.kept`, archived)
      expect(await state()).toMatchObject({ state: 'both', ticks: 6_000, series: 8 })
      await demandAll(dir, TICKS)
      expect(await restore()).toMatchObject({ state: 'open', ticks: 6_000 })
      expect(names()).toEqual(only.open)
    })

    it('clears the logs of a file that was removed', async () => {
      await compress()
      for (const beside of ['-wal', '-shm']) writeFileSync(open + beside, 'left')
      await withStore(dir, (store) => store.write([LATE]))
      await demandAll(dir, inOrder([...TICKS, LATE]))
      await compress()
      for (const beside of ['-wal', '-shm']) writeFileSync(open + beside, 'left')
      await compress()
      expect(names()).toEqual(only.archive)
    })

    it('by SIGKILL in the middle of it, goes on', async () => {
      const child = join(import.meta.dirname, 'day-file-child.ts')
      const draft = `${archived}.draft`
      const moments = [() => existsSync(draft), () => existsSync(archived), () => !existsSync(draft)]
      for (const moment of moments) {
        const archiving = spawn(process.execPath, [child, dir, 'archive'], {
          stdio: ['ignore', 'pipe', 'inherit'],
        })
        await once(archiving.stdout, 'data')
        await eventually(moment)
        archiving.kill('SIGKILL')
        await once(archiving, 'close')
        await demandAll(dir, TICKS)
      }
      await compress()
      expect(names()).toEqual(only.archive)
      expect(await problems()).toEqual([])
      await demandAll(dir, TICKS)
    })

    it('keeps its source when the archive beside it is cut off, and says so', async () => {
      copyFileSync(open, `${open}.kept`)
      await compress()
      renameSync(`${open}.kept`, open)
      truncateSync(archived, 10_240)
      expect(await problems()).not.toEqual([])
      await expect(compress()).rejects.toMatchObject({ code: 'TICKS_DAMAGED' })
      expect(existsSync(open)).toBe(true)
      rmSync(archived)
      await demandAll(dir, TICKS)
      expect(await compress()).toMatchObject({ state: 'archived', ticks: 6_000 })
    })
  })
})
