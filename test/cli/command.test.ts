// The command as its users meet it: a child process with exit codes, sentences and lines.
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run, SLUICE, sluice } from '../support/command.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-command-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('help', () => {
  it.each([
    ['start'],
    ['worker'],
    ['db', 'migrate'],
    ['db', 'status'],
    ['replay'],
    ['publish'],
    ['streams'],
    ['dlq', 'list'],
    ['dlq', 'show'],
    ['dlq', 'edit'],
    ['dlq', 'replay'],
    ['dlq', 'drop'],
    ['groups', 'list'],
    ['groups', 'pause'],
    ['groups', 'resume'],
    ['groups', 'replay'],
    ['doctor'],
    ['settings'],
  ])('of %s %s has examples and --json', async (...words) => {
    const { code, stdout } = await sluice([...words, '--help']).ended
    expect(code).toBe(0)
    expect(stdout).toContain('Examples:')
    expect(stdout).toContain('--json')
  })

  it('is found through a symbolic link from another folder', async () => {
    const link = join(folder, 'sluice')
    symlinkSync(SLUICE, link)
    const { code, stdout } = await run(link, ['--version'], { cwd: folder }).ended
    expect(code).toBe(0)
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})

describe('exit codes', () => {
  it('are 2 for a command, an option or an argument that does not exist', async () => {
    const advance = ['cutover', 'advance', 'ticks', '--reason', 'x', '--revision']
    const calls = [
      ...[['dance'], ['settings', '--dance'], ['replay', 'books', 'a', '--fee-bps', 'x'], ['worker']],
      ...['1.5', '-1', 'one'].map((revision) => [...advance, revision]),
    ]
    for (const { code, stderr } of await Promise.all(calls.map((words) => sluice(words).ended))) {
      expect(code).toBe(2)
      expect(stderr).toMatch(/^error: /)
      expect(stderr).not.toContain('    at ')
    }
  })

  it('is 2 for a wrong setting, with a sentence that names it', async () => {
    const { code, stdout, stderr } = await sluice(['settings'], { env: { PORT: 'abc' } }).ended
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^sluice: PORT is "abc"; allowed: .*\[CONFIG_INVALID\]\n$/)
  })

  it.each([{ MARKET_BOARDS: 'btc' }, { PAPER_BALANCES: 'USDT' }, { MARKET_HOLIDAYS: '1.1.2026' }])(
    'is 2 for a worker that would not use %o',
    async (wrong) => {
      const [name] = Object.keys(wrong)
      const { code, stdout, stderr } = await sluice(['worker', 'detector'], { env: wrong }).ended
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
      expect(stderr).toMatch(new RegExp(`^sluice: ${name} .*\\[CONFIG_INVALID\\]\n$`))
    },
  )

  it('is 1 for a file that does not exist, as JSON when asked for', async () => {
    const { code, stderr } = await sluice(['replay', 'books', join(folder, 'none.jsonl'), '--json']).ended
    expect(code).toBe(1)
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'FILE_NOT_FOUND' } })
  })

  it('come with a stack only when LOG_LEVEL=debug asks for it', async () => {
    const words = ['replay', 'books', join(folder, 'none.jsonl')]
    const [plain, debug] = await Promise.all([
      sluice(words).ended,
      sluice(words, { env: { LOG_LEVEL: 'debug' } }).ended,
    ])
    expect(plain.stderr).not.toContain('    at ')
    expect(debug.stderr).toContain('    at ')
  })
})

describe('output', () => {
  it('may be cut off by a reader that has seen enough', async () => {
    const { code, stdout, stderr } = await run('bash', [
      '-c',
      `set -o pipefail; '${SLUICE}' settings | head -n 1`,
    ]).ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toBe('PORT=8080  (default)\n')
  })

  it('of settings hides passwords and tells what is set', async () => {
    const env = { REDIS_URL: 'redis://me:secret@127.0.0.1:1' }
    const { stdout } = await sluice(['settings', '--json'], { env }).ended
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.find(({ name }) => name === 'REDIS_URL')).toMatchObject({
      set: true,
      value: 'redis://me:***@127.0.0.1:1',
    })
    expect(stdout).not.toContain('secret')
  })
})

describe('db', () => {
  it('says what is pending, migrates, and says that all is applied', async () => {
    const env = { DATA_DIR: join(folder, 'db') }
    const before = await sluice(['db', 'status', '--json'], { env }).ended
    expect(before.code).toBe(1)
    expect(JSON.parse(before.stdout).pending).not.toHaveLength(0)
    expect((await sluice(['db', 'migrate'], { env }).ended).code).toBe(0)
    const after = await sluice(['db', 'status', '--json'], { env }).ended
    expect(after.code).toBe(0)
    expect(JSON.parse(after.stdout)).toMatchObject({ pending: [], driver: 'sqlite' })
  })
})

describe('doctor', () => {
  it('says of each part whether it is well, and fails when one is not', async () => {
    const env = { DATA_DIR: join(folder, 'doctor'), REDIS_URL: 'redis://127.0.0.1:1' }
    const { code, stdout } = await sluice(['doctor', '--json'], { env }).ended
    const findings = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(findings.map(({ check, verdict }) => `${check} ${verdict}`)).toEqual(
      expect.arrayContaining(['node ok', 'redis fail', 'database warn']),
    )
    expect(code).toBe(1)
  })
})

describe('.env', () => {
  it('of the folder is read, and the environment wins over it', async () => {
    writeFileSync(join(folder, '.env'), 'PORT=9001\nHOST=127.0.0.9\n')
    const { stdout } = await run(SLUICE, ['settings'], { cwd: folder, env: { PORT: '9002' } }).ended
    expect(stdout).toContain('PORT=9002  (set)')
    expect(stdout).toContain('HOST=127.0.0.9  (set)')
  })
})
