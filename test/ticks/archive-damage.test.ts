// Damage is found: by who reads, by verify, and by who would remove the source of an archive.
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import SqliteFile from 'better-sqlite3'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { compareFiles } from '../../src/ticks/archive-compare.ts'
import { writeDraft } from '../../src/ticks/archive-rewrite.ts'
import { verifyFiles } from '../../src/ticks/archive-verify.ts'
import { decodeBlock, encodeBlock } from '../../src/ticks/block.ts'
import { type DayFile, openDayFile } from '../../src/ticks/day-file.ts'
import { all } from './conformance-place.ts'
import { DAY, manyTicks, withArchive, withStore } from './day-file-ticks.ts'

const TICKS = manyTicks(5_000)

const set = (column: Float64Array | Uint32Array, i: number, value: number): void => {
  column[i] = value
}

describe('damage', () => {
  let made: string
  let dir: string
  let open: string
  let archived: string
  beforeAll(async () => {
    made = mkdtempSync(join(tmpdir(), 'sluice-damage-'))
    await withStore(made, (store) => store.write(TICKS))
  })
  afterAll(() => rmSync(made, { recursive: true }))
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'sluice-damage-'))
    open = join(dir, '2026/01', `ticks_${DAY}.db`)
    archived = join(dir, '2026/01', `ticks_${DAY}.archive.db`)
    cpSync(made, dir, { recursive: true })
  })
  afterEach(() => rmSync(dir, { recursive: true }))

  const compress = () => withArchive(dir, (archive) => archive.compress(DAY))
  const problems = () => withArchive(dir, (archive) => archive.verify(DAY).problems)
  const change = (path: string, ...statements: string[]) => {
    const file = new SqliteFile(path)
    for (const statement of statements) file.exec(statement)
    file.close()
  }
  /** Turns one bit in the middle of a block, as a disk does. */
  const flip = (path: string) => {
    const file = new SqliteFile(path, { readonly: true })
    const { data } = file.prepare('select data from blocks order by length(data) desc').get() as {
      data: Buffer
    }
    file.close()
    const bytes = readFileSync(path)
    const middle = data.subarray(100, 140)
    const at = bytes.indexOf(middle)
    expect(at).toBeGreaterThan(0)
    bytes[at + 20]! ^= 4
    writeFileSync(path, bytes)
  }

  it('of one bit is found by a reader and by verify, in an open day and in an archive', async () => {
    const damaged = {
      code: 'TICKS_DAMAGED',
      message: expect.stringMatching(/ticks_2026-01-19.*: block \d+ is not/),
    }
    const readAll = () =>
      withStore(dir, async (store) => {
        for (const symbol of ['SYM0', 'SYM1', 'SYM2', 'SYM3']) await all(store, symbol)
      })
    await compress()
    const whole = readFileSync(archived)
    flip(archived)
    await expect(readAll()).rejects.toMatchObject(damaged)
    expect(await problems()).toEqual([expect.stringContaining('is not what was written')])
    writeFileSync(archived, whole)
    expect(await problems()).toEqual([])
    await withArchive(dir, (archive) => archive.restore(DAY))
    flip(open)
    await expect(readAll()).rejects.toMatchObject(damaged)
    await expect(compress()).rejects.toMatchObject(damaged)
    expect(readdirSync(join(dir, '2026/01'))).toEqual([`ticks_${DAY}.db`])
    expect((await problems()).length).toBe(1)
  })

  it.each([
    ['a block that is missing', 'delete from blocks where id = 1', 'ticks where'],
    ['a block of no series', 'delete from series where id = 1', 'belong to no series'],
    ['a tick too many in the count', 'update series set ticks = ticks + 1 where id = 2', 'are counted'],
    ['another head', 'update series set head_time = head_time + 1 where id = 2', 'newest tick'],
    ['another begin', 'update series set first = first + 1 where id = 2', 'oldest tick'],
    ['other times of a block', 'update blocks set first = first - 1 where id = 3', 'other times'],
    ['another count of a block', 'update blocks set count = count - 1 where id = 3', 'are noted'],
    [
      'the same block twice',
      'insert into blocks select null, series, first, last, count, tier, crc, data from blocks limit 1',
      'ticks',
    ],
  ])('verify finds %s', async (_, statement, found) => {
    change(open, statement)
    expect(await problems()).toEqual(expect.arrayContaining([expect.stringContaining(found)]))
  })

  it.each([
    ['cut off', (path: string) => truncateSync(path, 8_192)],
    ['empty', (path: string) => truncateSync(path, 0)],
    ['another file', (path: string) => writeFileSync(path, 'something else, '.repeat(999))],
    ['without tables', (path: string) => change(path, 'drop table blocks; drop table series')],
  ])('verify finds a file that is %s, and no archive is made of it', async (_, damage) => {
    damage(open)
    expect(await problems()).not.toEqual([])
    await expect(compress()).rejects.toHaveProperty('code')
    expect(existsSync(open)).toBe(true)
  })

  it('is not what a worker changes while verify reads', () => {
    const file = openDayFile({ path: open, busyMs: 0, readOnly: false })!
    const allSeries = () => {
      const rows = file.allSeries()
      change(open, 'delete from blocks where id = 3', 'update series set ticks = ticks - 1')
      return rows
    }
    const { problems } = verifyFiles(DAY, { open: { ...file, allSeries }, archive: undefined })
    file.close()
    expect(problems).toEqual([])
  })

  describe('in an archive that is being made', () => {
    let source: DayFile
    const draft = () => `${archived}.draft`
    beforeEach(() => {
      source = openDayFile({ path: open, busyMs: 0, readOnly: false })!
      writeDraft([source], {
        path: draft(),
        isArchive: true,
        madeFrom: { id: 'x', bytes: 1 },
        shared: () => 0,
      })
    })
    afterEach(() => source.close())

    const compared = () => {
      const target = openDayFile({ path: draft(), busyMs: 0, readOnly: true })!
      try {
        return compareFiles([source], target)
      } finally {
        target.close()
      }
    }
    /** Writes a block anew with one tick changed, checksum and all. */
    const forge = (changing: (columns: ReturnType<typeof decodeBlock>, i: number) => void) => {
      const file = new SqliteFile(draft())
      const { id, data } = file.prepare('select id, data from blocks order by id limit 1').get() as {
        id: number
        data: Buffer
      }
      const columns = structuredClone(decodeBlock(data))
      changing(columns, 77)
      const forged = encodeBlock(columns, 0, columns.count, true)
      file.prepare('update blocks set data = ?, crc = ? where id = ?').run(forged, crc32(forged), id)
      file.close()
    }

    it('is not found where there is none', () => {
      expect(compared()).toBe(5_000)
    })

    it.each<[string, Parameters<typeof forge>[0]]>([
      ['bid', ({ bid }, i) => set(bid, i, bid[i]! + 1e-9)],
      ['ask', ({ ask }, i) => set(ask, i, -ask[i]!)],
      ['size', ({ bidSize }, i) => set(bidSize, i, 12_345)],
      ['sign of zero', ({ volume }, i) => set(volume, i, -0)],
      ['flag', ({ flags }, i) => set(flags, i, flags[i]! ^ 1)],
      ['sequence', ({ sequence }, i) => set(sequence, i, sequence[i]! + 50)],
      ['time', ({ time }, i) => set(time, i, time[i]! + 1)],
      ['broker', ({ broker }, i) => set(broker, i, 1 - broker[i]!)],
    ])('is found when it is one %s', (_, changing) => {
      forge(changing)
      expect(compared).toThrow(
        expect.objectContaining({ message: expect.stringContaining('from tick 78 on') }),
      )
    })

    it.each([
      ['tick', 'update series set ticks = ticks - 1 where id = 1'],
      ['block', 'delete from blocks where id = 2'],
      ['series', "delete from series where symbol = 'SYM2'"],
      ['series too much', "insert into series values (99, 'more', 'x', 0, 0, 0, 0, 0, 0, 0)"],
    ])('is found when it is one %s', (_, statement) => {
      change(draft(), statement)
      expect(compared).toThrow(expect.objectContaining({ code: 'TICKS_DAMAGED' }))
    })
  })
})
