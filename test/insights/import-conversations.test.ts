// Conversations from files: each message once, whatever is wrong with its neighbours.
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { importConversations } from '../../src/cli/import.ts'
import type { Terminal } from '../../src/cli/terminal.ts'
import { ANSWER_BYTES_MAX, messagesOf, openConversationImport } from '../../src/insights/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { type Folder, importPath, openFolder } from '../imports/rig.ts'
import { drivers, openTestDatabase, type TestDatabase } from '../support/database.ts'
import { recording } from '../support/recordings.ts'

let folder: Folder
beforeAll(() => {
  folder = openFolder()
})
afterAll(() => folder.remove())

const say = (n: number, more: object = {}) => ({
  role: 'user',
  content: `${n}`,
  timestamp: 1_760_738_000 + n,
  ...more,
})
const conversation = (model: unknown, ...messages: unknown[]) => ({ model_id: model, messages })
const answer = (...conversations: unknown[]) => JSON.stringify({ conversations }, null, 1)

describe.each(drivers)('an import of conversations on %s', (driver) => {
  let test: TestDatabase
  beforeAll(async () => {
    test = await openTestDatabase(driver)
  })
  afterAll(() => test.close())
  beforeEach(() =>
    test.database.write(async ({ sql, t }) => {
      for (const table of [t.conversationMessages, t.quarantine, t.imports, t.outbox]) await sql.delete(table)
    }),
  )
  const load = async (path: string) => {
    const options = { kind: 'conversations', objectBytesMax: ANSWER_BYTES_MAX } as const
    const { take } = openConversationImport({ database: test.database, clock: systemClock })
    const { read, stored, duplicate, quarantined } = await importPath(path, test.database, take, options)
    return { read, stored, duplicate, quarantined }
  }
  const said = (model: string) => test.database.read((tx) => messagesOf(tx, model, 100))

  it('counts each message, keeps the good ones, and puts the others aside with what is wrong', async () => {
    const path = folder.file(
      'mixed.json',
      answer(
        conversation(
          'a',
          say(1),
          say(2, { role: 'narrator' }),
          say(3, { timestamp: '2025' }),
          'hello',
          say(1),
        ),
        conversation('a', say(4, { content: 'a\0b' }), say(5, { timestamp: 1_760_738_005_250 })),
        conversation(undefined, say(6)),
        { model_id: 'b' },
        conversation('a', say(7, { timestamp: 9_000_000_000 })),
      ),
    )
    const expected = {
      ...{ read: 10, stored: 2, duplicate: 1 },
      quarantined: { bad_role: 1, bad_time: 1, missing_field: 3, bad_text: 1, future: 1 },
    }
    expect(await load(path)).toEqual(expected)
    expect((await said('a')).map(({ content, time }) => [content, time])).toEqual([
      ['5', 1_760_738_005_250],
      ['1', 1_760_738_001_000],
    ])
    expect(await load(path)).toEqual({ ...expected, stored: 0, duplicate: 3 })
    const aside = await test.database.read(({ sql, t }) => sql.select().from(t.quarantine))
    expect(aside.map(({ reason, source, detail }) => `${source} ${reason} ${detail}`).sort()).toEqual([
      expect.stringMatching(/^a bad_role role: .*"user"/),
      expect.stringMatching(/^a bad_text content: holds a zero character/),
      expect.stringMatching(/^a bad_time timestamp: /),
      expect.stringMatching(/^a future timestamp 9000000000/),
      expect.stringMatching(/^a missing_field role: /),
      expect.stringMatching(/^null missing_field messages is missing/),
      expect.stringMatching(/^null missing_field model_id: /),
    ])
  })

  it('takes conversations on lines of their own, answers beyond a MiB, and what is whole in half an answer', async () => {
    const lines = [conversation('l', say(1)), conversation('l', say(2))].map((one) => JSON.stringify(one))
    expect(await load(folder.file('lines.jsonl', lines.join('\n')))).toMatchObject({ read: 2, stored: 2 })
    const long = conversation('long', ...[1, 2].map((n) => say(n, { content: `${n}`.repeat(150_000) })))
    const large = answer(...Array.from({ length: 8 }, (_, n) => ({ ...long, topic: `${n}` })))
    expect(large.length).toBeGreaterThan(2 ** 21)
    expect(await load(folder.file('large.json', large))).toMatchObject({ read: 16, stored: 16 })
    const whole = answer(conversation('h', say(1), say(2)), conversation('h', say(3)))
    const half = whole.slice(0, whole.indexOf('"3"'))
    const { read, stored, quarantined } = await load(folder.file('half.json', half))
    expect({ stored, all: stored + Object.values(quarantined).reduce((sum, n) => sum + n, 0) }).toEqual({
      ...{ stored: 2, all: read },
    })
    expect((await said('h')).map(({ content }) => content)).toEqual(['2', '1'])
  })
})

const nof0 = recording('nof0')
it.skipIf(!nof0)('sluice import conversations reads the recorded answer, and stores it once', async () => {
  const data = join(folder.path, 'data')
  Object.assign(process.env, {
    ...{ DATA_DIR: data, DATABASE_DRIVER: 'sqlite', SQLITE_DB_PATH: join(data, 'sluice.db') },
  })
  const results: Record<string, unknown>[] = []
  const terminal: Terminal = {
    ...{ json: true, colours: false, line: () => {}, note: () => {} },
    result: (value) => void results.push(value as Record<string, unknown>),
  }
  const deaf = () => ({ signal: new AbortController().signal, release: () => {} })
  const path = join(nof0!, 'conversations.json')
  expect(await importConversations(path, { dryRun: true }, terminal, deaf)).toBe(0)
  expect(await importConversations(path, {}, terminal, deaf)).toBe(0)
  expect(await importConversations(path, {}, terminal, deaf)).toBe(0)
  const counts = { kind: 'conversations', read: 9, quarantined: {}, stopped: false }
  expect(results).toMatchObject([
    { ...counts, stored: 9, duplicate: 0, dryRun: true },
    { ...counts, stored: 9, duplicate: 0, dryRun: false },
    { ...counts, stored: 0, duplicate: 9, dryRun: false },
  ])
})
