import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Driver, migrate, migrationStatus, openDatabase } from '../../src/db/index.ts'
import { drivers, openPlace } from '../support/database.ts'

const ROOT = join(import.meta.dirname, '../..')
const CHILD = join(import.meta.dirname, 'migrating-process.ts')

describe.each(drivers)('migrations on %s', (driver) => {
  let place: Awaited<ReturnType<typeof openPlace>>
  let folder: string
  beforeEach(async () => {
    place = await openPlace(driver)
    folder = mkdtempSync(join(tmpdir(), 'sluice-migrations-'))
    cpSync(join(ROOT, 'drizzle', driver), folder, { recursive: true })
  })
  afterEach(async () => {
    await place.remove()
    rmSync(folder, { recursive: true })
  })

  const journalPath = () => join(folder, 'meta/_journal.json')
  const tags = (): string[] =>
    JSON.parse(readFileSync(journalPath(), 'utf8')).entries.map((entry: { tag: string }) => entry.tag)
  const writeFolder = (files: Record<string, string>, order: readonly string[]) => {
    for (const [tag, text] of Object.entries(files)) writeFileSync(join(folder, `${tag}.sql`), text)
    writeFileSync(journalPath(), JSON.stringify({ entries: order.map((tag) => ({ tag })) }))
  }
  const two = () =>
    writeFolder({ '9000_more': 'create table more (id integer primary key)' }, [...tags(), '9000_more'])

  it('applies everything once, and then nothing', async () => {
    expect(await migrate(place.options, folder)).toEqual(tags())
    expect(await migrate(place.options, folder)).toEqual([])
    const database = openDatabase(place.options)
    expect(await database.read(({ sql, t }) => sql.$count(t.fills))).toBe(0)
    await database.close()
  })

  it('applies a later file on top', async () => {
    await migrate(place.options, folder)
    two()
    expect(await migrate(place.options, folder)).toEqual(['9000_more'])
  })

  it('tells what is applied and what is pending', async () => {
    expect(await migrationStatus(place.options, folder)).toEqual({
      applied: [],
      pending: tags(),
      problem: undefined,
    })
    if (place.options.path) expect(existsSync(place.options.path)).toBe(false)
    const before = tags()
    await migrate(place.options, folder)
    two()
    const status = await migrationStatus(place.options, folder)
    expect(status.applied).toEqual(
      before.map((tag) => ({
        tag,
        hash: expect.stringMatching(/^[0-9a-f]{64}$/),
        appliedAt: expect.any(Number),
      })),
    )
    expect(status.pending).toEqual(['9000_more'])
    expect(status.problem).toBeUndefined()
  })

  it('refuses a file that was edited after it was applied', async () => {
    await migrate(place.options, folder)
    const file = join(folder, `${tags()[0]}.sql`)
    writeFileSync(file, `${readFileSync(file, 'utf8')}\n-- later`)
    await expect(migrate(place.options, folder)).rejects.toMatchObject({ code: 'MIGRATION_EDITED' })
    expect((await migrationStatus(place.options, folder)).problem).toMatch(/was edited/)
  })

  it('refuses a file that was put in front of an applied one', async () => {
    await migrate(place.options, folder)
    writeFolder({ '0000_late': 'create table late (id integer primary key)' }, ['0000_late', ...tags()])
    await expect(migrate(place.options, folder)).rejects.toMatchObject({ code: 'MIGRATION_EDITED' })
    expect((await migrationStatus(place.options, folder)).problem).toMatch(/was added in front of/)
  })

  it('refuses a database that is newer than the program', async () => {
    const older = tags()
    two()
    await migrate(place.options, folder)
    writeFolder({}, older)
    await expect(migrate(place.options, folder)).rejects.toMatchObject({
      code: 'MIGRATION_EDITED',
      message: expect.stringContaining('newer than this program'),
    })
  })

  it('leaves nothing behind when a statement fails', async () => {
    writeFolder({ '9000_bad': 'create table half (id integer);--> statement-breakpoint\ncreate nonsense' }, [
      ...tags(),
      '9000_bad',
    ])
    await expect(migrate(place.options, folder)).rejects.toMatchObject({
      code: 'MIGRATION_FAILED',
      message: expect.stringContaining('9000_bad'),
    })
    expect((await migrationStatus(place.options, folder)).applied).toEqual([])
    writeFolder({ '9000_bad': 'create table half (id integer)' }, tags())
    expect(await migrate(place.options, folder)).toHaveLength(tags().length)
  })

  it('names the folder when a file is missing', async () => {
    writeFolder({}, ['0000_nowhere'])
    await expect(migrate(place.options, folder)).rejects.toMatchObject({ code: 'MIGRATION_FAILED' })
  })

  it('lets four processes migrate at once, each twice: one call does it, all succeed', async () => {
    const children = Array.from({ length: 4 }, () => runNode([CHILD], place.environment))
    const answers = (await Promise.all(children)).flatMap((answer) => JSON.parse(answer) as string[][])
    expect(answers).toHaveLength(8)
    expect(answers.filter((applied) => applied.length > 0)).toEqual([tags()])
  })

  it('says that a database must be migrated first', async () => {
    const database = openDatabase(place.options)
    await expect(database.read(({ sql, t }) => sql.select().from(t.fills))).rejects.toMatchObject({
      code: 'MIGRATION_PENDING',
      message: expect.stringContaining('sluice db migrate'),
    })
    await database.close()
  })
})

describe('generated migrations', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-generated-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const generate = (driver: Driver) => {
    const dialect = driver === 'postgres' ? 'postgresql' : 'sqlite'
    const kit = join(ROOT, 'node_modules/drizzle-kit/bin.cjs')
    // drizzle-kit takes paths from the folder it runs in.
    const options = ['--schema', `schema/${driver}.ts`, '--out', relative(ROOT, folder)]
    return runNode([kit, 'generate', '--dialect', dialect, ...options])
  }

  it.each(drivers)('are what the tables say: generating for %s leaves no difference', async (driver) => {
    cpSync(join(ROOT, 'drizzle', driver), folder, { recursive: true })
    const files = readdirSync(folder)
    expect(await generate(driver)).toContain('No schema changes')
    expect(readdirSync(folder)).toEqual(files)
  })

  it.each(drivers)('would show a table that was forgotten for %s', async (driver) => {
    cpSync(join(ROOT, 'drizzle', driver), folder, { recursive: true })
    const newest = join(folder, 'meta', readdirSync(join(folder, 'meta')).sort().at(-2)!)
    const snapshot = JSON.parse(readFileSync(newest, 'utf8'))
    delete snapshot.tables[driver === 'postgres' ? 'public.fences' : 'fences']
    writeFileSync(newest, JSON.stringify(snapshot))
    expect(await generate(driver)).not.toContain('No schema changes')
  })
})

function runNode(parameters: string[], environment: Record<string, string> = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, parameters, {
      cwd: ROOT,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let out = ''
    let problems = ''
    child.stdout.on('data', (chunk) => {
      out += chunk
    })
    child.stderr.on('data', (chunk) => {
      problems += chunk
    })
    child.once('exit', (code) => (code === 0 ? resolve(out.trim()) : reject(new Error(problems))))
  })
}
