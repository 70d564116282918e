import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import SqliteFile from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { migrate, migrationStatus, openDatabase } from '../../src/db/index.ts'
import { systemClock } from '../../src/kernel/index.ts'

describe('a SQLite file', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-file-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const options = (path: string) => ({ driver: 'sqlite', path, clock: systemClock }) as const
  const count = async (path: string) => {
    const database = openDatabase(options(path))
    try {
      return (await database.read(({ sql, t }) => sql.select().from(t.fences))).length
    } finally {
      await database.close()
    }
  }

  it('is not touched before the first call', async () => {
    const path = join(folder, 'later.db')
    const database = openDatabase(options(path))
    expect(existsSync(path)).toBe(false)
    await database.close()
  })

  it('is created with its folders', async () => {
    const path = join(folder, 'a/b/sluice.db')
    await migrate(options(path))
    expect(await count(path)).toBe(0)
  })

  it('keeps a write-ahead log', async () => {
    const path = join(folder, 'sluice.db')
    await migrate(options(path))
    const file = new SqliteFile(path)
    expect(file.pragma('journal_mode', { simple: true })).toBe('wal')
    file.close()
  })

  it('is refused when it is no database', async () => {
    const path = join(folder, 'notes.txt')
    writeFileSync(path, 'not a database, '.repeat(1_000))
    const refused = { code: 'DATABASE_INVALID', message: expect.stringContaining(path) }
    await expect(count(path)).rejects.toMatchObject(refused)
    await expect(migrate(options(path))).rejects.toMatchObject(refused)
    await expect(migrationStatus(options(path))).rejects.toMatchObject(refused)
    expect(readFileSync(path, 'utf8')).toMatch(/^not a database/)
  })

  it('is refused when a page of it is damaged', async () => {
    const path = join(folder, 'sluice.db')
    await migrate(options(path))
    const file = new SqliteFile(path)
    const page = file
      .prepare("select rootpage from sqlite_schema where name = 'fences'")
      .pluck()
      .get() as number
    file.close()
    const descriptor = openSync(path, 'r+')
    writeSync(descriptor, Buffer.alloc(4_096, 0xff), 0, 4_096, (page - 1) * 4_096)
    await expect(count(path)).rejects.toMatchObject({ code: 'DATABASE_INVALID' })
  })

  it('is reported when it cannot be opened', async () => {
    const unavailable = {
      code: 'DATABASE_UNAVAILABLE',
      message: expect.stringMatching(/cannot be (opened|made)/),
    }
    mkdirSync(join(folder, 'folder.db'))
    await expect(count(join(folder, 'folder.db'))).rejects.toMatchObject(unavailable)
    writeFileSync(join(folder, 'file'), '')
    await expect(count(join(folder, 'file/below.db'))).rejects.toMatchObject(unavailable)
    await expect(migrate(options(join(folder, 'file/below.db')))).rejects.toMatchObject(unavailable)
  })

  it('needs a path', () => {
    expect(() => openDatabase({ driver: 'sqlite', clock: systemClock })).toThrow(/SQLITE_DB_PATH/)
  })
})
