// Both databases: the rows of an import and of quarantine are what tells a person that nothing was lost.
import { utimesSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { asc, type Database } from '../../src/db/index.ts'
import type { Take } from '../../src/imports/index.ts'
import { drivers, openTestDatabase, type TestDatabase } from '../support/database.ts'
import { type Folder, importPath, openFolder, openShelf } from './rig.ts'

const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `{"n":${from + i}}\n`).join('')
const DIRTY = `${lines(0, 3)}{"bad":1}\n<<<<<<< a\n{"n":7}\n=======\n>>>>>>> b\nbro\0ken \ud83d\n{"n":8}`

const rowsOf = (database: Database) =>
  database.read(async ({ sql, t }) => {
    const rows = await sql.select().from(t.quarantine).orderBy(asc(t.quarantine.position))
    // When it was seen last is no part of what it says.
    return rows.map((row) => ({ ...row, at: 0 }))
  })
const importsOf = (database: Database) =>
  database.read(({ sql, t }) => sql.select().from(t.imports).orderBy(asc(t.imports.path)))

describe.each(drivers)('an import on %s', (driver) => {
  let test: TestDatabase
  let folder: Folder
  let database: Database
  beforeAll(async () => {
    test = await openTestDatabase(driver)
    database = test.database
  })
  afterAll(() => test.close())
  beforeEach(() => {
    folder = openFolder()
  })
  afterEach(async () => {
    folder.remove()
    await database.write(async ({ sql, t }) => {
      await sql.delete(t.imports)
      await sql.delete(t.quarantine)
    })
  })

  it('counts every piece once, keeps what was refused with its reason, and stores nothing the second time', async () => {
    const path = folder.file('a.jsonl', DIRTY)
    const shelf = openShelf()
    const quarantined = { bad_number: 1, conflict_marker: 4 }
    const first = await importPath(path, database, shelf.take, { batchPieces: 2 })
    expect(first).toMatchObject({ read: 10, stored: 5, duplicate: 0, quarantined, resumed: 0, failed: [] })
    expect(first.examples).toEqual([
      { path, reason: 'bad_number', detail: 'bad', offset: 24, text: '{"bad":1}' },
      { path, reason: 'conflict_marker', detail: expect.any(String), offset: 34, text: '<<<<<<< a' },
    ])
    const rows = await rowsOf(database)
    expect(rows.map(({ reason, text, position }) => [reason, text, position])).toEqual([
      ['bad_number', '{"bad":1}', 24],
      ['conflict_marker', '<<<<<<< a', 34],
      ['conflict_marker', '{"n":7}', 44],
      ['conflict_marker', '=======', 52],
      ['conflict_marker', '>>>>>>> b', 60],
    ])
    expect(rows[0]).toMatchObject({ kind: 'ticks', origin: path, symbol: 'S\ufffd', source: 'a', time: 5 })
    const second = await importPath(path, database, shelf.take)
    expect(second).toMatchObject({ read: 10, stored: 0, duplicate: 5, quarantined, resumed: 0 })
    expect(await rowsOf(database)).toEqual(rows)
    expect(await importsOf(database)).toMatchObject([{ path, read: 10, stored: 0, duplicate: 5, done: true }])
  })

  it('keeps texts that the database has no characters for', async () => {
    const path = folder.file('a.json', '[{"a":1}, bro\0ken \u00e9\ud83d\ude00, {"b":2}]')
    await importPath(path, database, openShelf().take)
    expect(await rowsOf(database)).toMatchObject([
      { reason: 'not_json', text: 'bro\ufffdken \u00e9\ud83d\ude00', detail: 'text outside of an object' },
    ])
  })

  it('that dies in any batch goes on where it was and ends with the same tables', async () => {
    for (const name of ['b/1.jsonl', 'b/2.jsonl', 'a.json']) {
      folder.file(name, name === 'b/1.jsonl' ? DIRTY : lines(name.length * 10, name.length * 10 + 6))
    }
    const whole = openShelf()
    const first = await importPath(folder.path, database, whole.take, { batchPieces: 2 })
    const rows = await rowsOf(database)
    expect(first).toMatchObject({ read: 22, stored: 17 })
    for (let dies = 1; dies <= 12; dies++) {
      await database.write(async ({ sql, t }) => {
        await sql.delete(t.imports)
        await sql.delete(t.quarantine)
      })
      let isAlive = true
      const shelf = openShelf((call) => {
        if (call === dies && isAlive) throw new Error('killed')
      })
      await expect(importPath(folder.path, database, shelf.take, { batchPieces: 2 })).rejects.toThrow(
        'killed',
      )
      isAlive = false
      const after = await importPath(folder.path, database, shelf.take, { batchPieces: 2 })
      expect([...shelf.texts]).toEqual([...whole.texts])
      const { read, stored, duplicate, quarantined } = first
      expect(after).toMatchObject({ read, stored, duplicate, quarantined, failed: [], stopped: false })
      expect(after.resumed > 0).toBe(dies > 1)
      expect(await rowsOf(database)).toEqual(rows)
    }
  })

  it('that was killed between the store and the row counts what the store knows as duplicates', async () => {
    const path = folder.file('a.jsonl', lines(0, 6))
    const shelf = openShelf()
    const dying = openShelf((call) => {
      if (call === 2) throw new Error('killed')
    })
    await expect(importPath(path, database, dying.take, { batchPieces: 3 })).rejects.toThrow('killed')
    // The batch that was not saved had reached the store.
    for (const text of [...lines(0, 6).trim().split('\n')]) shelf.texts.add(text)
    const after = await importPath(path, database, shelf.take)
    expect(after).toMatchObject({ read: 6, stored: 3, duplicate: 3, resumed: 1 })
  })

  it('stops after the batch at hand when it is told to, and goes on later', async () => {
    const path = folder.file('a.jsonl', lines(0, 9))
    const stop = new AbortController()
    const shelf = openShelf((call) => {
      if (call === 2) stop.abort()
    })
    const first = await importPath(path, database, shelf.take, { batchPieces: 3, signal: stop.signal })
    expect(first).toMatchObject({ read: 6, stored: 6, stopped: true })
    const second = await importPath(path, database, shelf.take, { batchPieces: 3 })
    expect(second).toMatchObject({ read: 9, stored: 9, stopped: false, resumed: 1 })
  })

  it('begins again from the start when it is told to, or when the file is another one', async () => {
    const path = folder.file('a.jsonl', lines(0, 9))
    const stop = AbortSignal.abort()
    const shelf = openShelf()
    await importPath(path, database, shelf.take, { batchPieces: 3, signal: stop })
    const again = await importPath(path, database, shelf.take, { fromStart: true })
    expect(again).toMatchObject({ read: 9, stored: 9, duplicate: 0, resumed: 0 })
    await importPath(path, database, shelf.take, { batchPieces: 3, signal: stop })
    utimesSync(path, 1, 1)
    expect(await importPath(path, database, shelf.take)).toMatchObject({ read: 9, duplicate: 9, resumed: 0 })
  })

  it('with other settings is another import: it begins at the start, says so once, and the first one can go on', async () => {
    const path = folder.file('a.jsonl', lines(0, 9))
    const shelf = openShelf()
    const said: number[] = []
    const importAs = (source: string, stopAfter = Number.POSITIVE_INFINITY) => {
      const stop = new AbortController()
      const take: Take = (pieces, context) => {
        if (--stopAfter === 0) stop.abort()
        return shelf.take(pieces, context)
      }
      const more = { settings: { source }, signal: stop.signal, batchPieces: 3 }
      return importPath(path, database, take, { ...more, onOtherwise: (files) => said.push(files) })
    }
    expect(await importAs('one', 2)).toMatchObject({ read: 6, stopped: true })
    expect(await importAs('two')).toMatchObject({ read: 9, resumed: 0, stopped: false })
    expect(await importAs('two')).toMatchObject({ read: 9, resumed: 0 })
    expect(said).toEqual([1])
    expect(await importAs('one')).toMatchObject({ read: 9, resumed: 1 })
  })

  it('refuses to go on when another process has taken the file over', async () => {
    const path = folder.file('a.jsonl', lines(0, 9))
    const other = openShelf()
    const shelf = openShelf()
    let calls = 0
    const importing = importPath(
      path,
      database,
      async (pieces, context) => {
        calls += 1
        if (calls === 2) await importPath(path, database, other.take)
        return shelf.take(pieces, context)
      },
      { batchPieces: 3 },
    )
    await expect(importing).rejects.toMatchObject({ code: 'IMPORT_RUNNING' })
    expect(await importsOf(database)).toMatchObject([{ read: 9, done: true }])
  })

  it('writes nothing in a dry run, not even a row', async () => {
    folder.file('a.jsonl', DIRTY)
    const closed = await openTestDatabase(driver)
    await closed.close()
    const shelf = openShelf()
    const counts = { read: 10, stored: 5, quarantined: { bad_number: 1, conflict_marker: 4 } }
    expect(await importPath(folder.path, closed.database, shelf.take, { dryRun: true })).toMatchObject(counts)
    expect(shelf.texts.size).toBe(0)
  })

  it('notices a store that does not account for every piece', async () => {
    const path = folder.file('a.jsonl', lines(0, 9))
    const careless = importPath(path, database, async (pieces) => ({
      stored: pieces.length - 1,
      duplicate: 0,
      quarantined: [],
    }))
    await expect(careless).rejects.toMatchObject({ code: 'INTERNAL', facts: { read: 9, stored: 8 } })
  })
})
