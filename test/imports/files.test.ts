import { appendFileSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { listImportFiles, type Take } from '../../src/imports/index.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { type Folder, importPath, openFolder, openShelf } from './rig.ts'

let test: TestDatabase
let folder: Folder
beforeAll(async () => {
  test = await openTestDatabase('sqlite')
})
afterAll(() => test.close())
beforeEach(() => {
  folder = openFolder()
})
afterEach(() => folder.remove())

const names = async (path = folder.path) =>
  (await listImportFiles(path)).map(
    ({ path: found, format }) => `${format} ${found.slice(folder.path.length + 1)}`,
  )

describe('the files of a folder', () => {
  it('are those whose names say what they are, in the order of names', async () => {
    for (const name of [
      'b.JSON',
      'a/z.csv.gz',
      'a/b/c.jsonl.zst',
      'c.ndjson',
      'LICENSE',
      'd.json.bak',
      'json',
    ]) {
      folder.file(name, '')
    }
    mkdirSync(join(folder.path, 'e.json'))
    symlinkSync(folder.path, join(folder.path, 'loop'))
    symlinkSync(join(folder.path, 'b.JSON'), join(folder.path, 'link.json'))
    expect(await names()).toEqual([
      'jsonl a/b/c.jsonl.zst',
      'csv a/z.csv.gz',
      'json b.JSON',
      'jsonl c.ndjson',
      'json link.json',
    ])
    expect(await names(join(folder.path, 'b.JSON'))).toEqual(['json b.JSON'])
  })

  it('that cannot be imported are told with what is allowed', async () => {
    const refused = (path: string) => listImportFiles(join(folder.path, path)).catch((error) => error)
    folder.file('ticks.db', '')
    expect(await refused('absent')).toMatchObject({ code: 'FILE_NOT_FOUND' })
    expect(await refused('ticks.db')).toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('.ndjson'),
    })
    expect(await refused('.')).toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('nothing to import'),
    })
  })
})

const LINES = Array.from({ length: 400 }, (_, n) => `{"n":${n},"t":"${'x'.repeat(n % 50)}é"}\n`)
const TEXT = Buffer.from(LINES.join(''))
const TEXTS = LINES.map((line) => line.trim())
const half = TEXT.length >> 1
const SKIPPABLE = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3])
const PACKED: Record<string, Buffer> = {
  'plain.jsonl': TEXT,
  'plain named.jsonl.gz': TEXT,
  'one.jsonl.gz': gzipSync(TEXT),
  'two.jsonl.gz': Buffer.concat([gzipSync(TEXT.subarray(0, half)), gzipSync(TEXT.subarray(half))]),
  'one.jsonl.zst': zstdCompressSync(TEXT),
  'three.json.zst': Buffer.concat([
    ...[zstdCompressSync(TEXT.subarray(0, half)), SKIPPABLE, zstdCompressSync(TEXT.subarray(half))],
    zstdCompressSync(Buffer.alloc(0)),
  ]),
}

describe('the bytes of a file', () => {
  it.each(Object.keys(PACKED))('are the same in %s, also from the middle on', async (name) => {
    const path = folder.file(name, PACKED[name]!)
    const shelf = openShelf()
    let calls = 0
    const take: Take = async (pieces, context) => {
      calls += 1
      if (calls === 2) throw new Error('killed')
      return shelf.take(pieces, context)
    }
    await expect(importPath(path, test.database, take, { batchPieces: 150 })).rejects.toThrow('killed')
    expect(shelf.texts.size).toBe(150)
    const told: number[] = []
    const result = await importPath(path, test.database, take, {
      batchPieces: 90,
      onProgress: ({ bytesDone, bytesTotal }) => told.push(bytesDone / bytesTotal),
    })
    expect([...shelf.texts]).toEqual(TEXTS)
    expect(result).toMatchObject({ read: 400, stored: 400, resumed: 1, failed: [] })
    expect(told.at(-1)).toBe(1)
    expect(told.every((share, at) => share > 0 && share <= 1 && share >= (told[at - 1] ?? 0))).toBe(true)
  })

  it.each([
    ['cut.jsonl.gz', gzipSync(TEXT).subarray(0, -30), 'unexpected end of file'],
    ['cut.jsonl.zst', zstdCompressSync(TEXT).subarray(0, -30), 'unexpected end of file'],
    ['tail.jsonl.zst', Buffer.concat([zstdCompressSync(TEXT), Buffer.from('more')]), 'no frame of zstd'],
    ['tail.jsonl.gz', Buffer.concat([gzipSync(TEXT), Buffer.from('more')]), 'incorrect header check'],
  ])(
    'of the damaged %s are imported up to the damage, and other files are as well',
    async (name, bytes, why) => {
      const path = folder.file(name, bytes)
      folder.file('z.jsonl', '{"z":1}')
      const shelf = openShelf()
      const result = await importPath(folder.path, test.database, shelf.take)
      expect(result.failed).toEqual([{ path, problem: expect.stringContaining(why) }])
      expect(shelf.texts).toContain('{"z":1}')
      expect([...shelf.texts].slice(0, -1)).toEqual(TEXTS.slice(0, shelf.texts.size - 1))
      // Half a line must not be taken for a whole one.
      if (name === 'cut.jsonl.gz') expect(result.quarantined).toEqual({ cut_off: 1 })
      // A damaged file does not make the next import one that goes on.
      expect(await importPath(folder.path, test.database, shelf.take)).toMatchObject({
        stored: 0,
        resumed: 0,
      })
    },
  )

  it('that change while they are read are told', async () => {
    const path = folder.file('a.jsonl', TEXT)
    const take: Take = async (pieces) => {
      if (pieces.length > 0) appendFileSync(path, '{"more":1}\n')
      return { stored: pieces.length, duplicate: 0, quarantined: [] }
    }
    const { failed } = await importPath(path, test.database, take)
    expect(failed).toEqual([{ path, problem: expect.stringContaining('changed while it was read') }])
  })
})

describe('the header of a CSV file', () => {
  it('is given to every batch and is no piece, also behind a kill and a marker of a merge', async () => {
    folder.file('a.csv', '<<<<<<< a\nx,y\r\n1,2\n=======\n>>>>>>> b\n3,4\n5,6\n7,8\n')
    folder.file('b.csv.gz', gzipSync('x,z\n1,2'))
    folder.file('c.csv', '')
    const seen: string[] = []
    let isAlive = true
    const take: Take = async (pieces, { header }) => {
      if (isAlive && seen.length === 2) throw new Error('killed')
      seen.push(`${header}: ${pieces.map(({ text }) => text).join(' ')}`)
      return { stored: pieces.length, duplicate: 0, quarantined: [] }
    }
    const run = () => importPath(folder.path, test.database, take, { batchPieces: 2 })
    await expect(run()).rejects.toThrow('killed')
    isAlive = false
    const result = await run()
    expect(seen).toEqual(['x,y: ', 'x,y: ', 'x,y: 3,4 5,6', 'x,y: 7,8', 'x,z: 1,2', 'undefined: '])
    expect(result).toMatchObject({ read: 8, stored: 4, quarantined: { conflict_marker: 4 } })
  })
})
