// The conventions of CONTRIBUTING.md, held. Each rule is first shown to catch a planted violation.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { STREAMS } from '../src/catalog/index.ts'
import { generatedDocuments } from '../src/cli/documents.ts'
import { ERROR_CODES, SETTINGS } from '../src/kernel/index.ts'
import {
  checkConventions,
  checkLeftovers,
  checkLengths,
  checkNames,
  checkRedisNames,
} from './rules/conventions.ts'
import { checkLinks, compareLists } from './rules/documents.ts'
import { filesIn, productFiles, ROOT, readProjectFile, shown, testFiles } from './rules/files.ts'
import { scan } from './rules/scan.ts'
import { checkTests } from './rules/tests.ts'

const files = productFiles()
const tests = testFiles()
const documents = filesIn(['docs', 'README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'], /\.md$/)
const streams = STREAMS.map(({ name }) => name)
const planted = (text: string, path = 'src/bus/a.ts') => [{ path, text }]

describe('the scanner', () => {
  it('tells code from comments, strings, templates and regular expressions', () => {
    const text = "const a = 'x//y' // b\nconst c = `d ${e('f')} g`\nconst h = /'[/]\"/.test(i) /* j\nk */ / 2"
    const { code, literals } = scan(text)
    expect(code.replace(/ +/g, ' ')).toBe(
      "const a = ' ' \nconst c = ` ${e(' ')} `\nconst h = / /.test(i) \n / 2",
    )
    expect(literals.map(({ text: literal, line }) => `${line} ${literal}`)).toEqual([
      '1 x//y',
      '2 f',
      "2 d ${e('f')} g",
    ])
  })
})

describe('words with one place', () => {
  const violations = [
    ['const a = process.env.HOME', 'the environment'],
    ['const now = Date.now()', 'the clock'],
    ['const now = new Date( )', 'the clock'],
    ['const now = performance.now()', 'the clock'],
    ['setTimeout(work, 5)', 'the clock'],
    ['const a = Math.random()', 'randomness'],
    ["import { randomUUID } from 'node:crypto'", 'randomness'],
    ['const redis = new Redis(url)', 'connections'],
    ["console.log('here')", 'the terminal'],
    ["process.stdout.write('here')", 'the terminal'],
    ['process.exit(1)', 'the end of the process'],
    ["import { mkdir } from 'node:fs/promises'", 'folders'],
    ["export * from './b.ts'", 'exports'],
    ['export default 1', 'exports'],
    ['const a = b as any', 'types'],
    ['class Store {}', 'classes'],
  ] as const

  it.each(violations)('%s is caught', (text, rule) => {
    expect(shown(checkConventions(planted(`\n${text}`)))).toEqual([
      expect.stringMatching(`^src/bus/a.ts:2  .*${rule}`),
    ])
  })

  it.each([
    ['process.env.HOME', 'src/kernel/config.ts'],
    ['setTimeout(work, 5)', 'src/kernel/clock.ts'],
    ['new Redis(url)', 'src/redis/connect.ts'],
    ['process.stdout.write(a)', 'src/cli/a.ts'],
    ['class Reject extends Error {}', 'src/bus/a.ts'],
    ['new Date(timeMs)', 'src/bus/a.ts'],
    ['// console.log and Date.now() are only named here', 'src/bus/a.ts'],
    ["const text = 'process.env'", 'src/bus/a.ts'],
  ])('%s may stand in %s', (text, path) => {
    expect(checkConventions(planted(text, path))).toEqual([])
  })

  it('hold everywhere', () => {
    expect(shown(checkConventions(files))).toEqual([])
  })
})

describe('Redis names', () => {
  it.each(["'market:ticker:x'", "'dead:a'", '`lock:${name}`', "'{tag}:a'.slice(1)", "'market.quotes'"])(
    '%s is caught outside the catalog',
    (text) => {
      const found = checkRedisNames(
        planted(text === "'{tag}:a'.slice(1)" ? "'{lock:a'" : text, 'src/market/a.ts'),
        streams,
      )
      expect(found).toHaveLength(1)
    },
  )

  it.each(["'node:fs'", "'redis://host'", "'signals'", "'Redis did not answer: why'"])(
    '%s is none',
    (text) => {
      expect(checkRedisNames(planted(text, 'src/market/a.ts'), streams)).toEqual([])
    },
  )

  it('stand in the catalog only', () => {
    expect(shown(checkRedisNames(files, streams))).toEqual([])
  })
})

describe('files', () => {
  it('of a vague name or another case are caught', () => {
    expect(checkNames(planted('', 'src/bus/date-utils.ts'))).toHaveLength(1)
    expect(checkNames(planted('', 'src/helpers/dates.ts'))).toHaveLength(1)
    expect(checkNames(planted('', 'src/bus/DateText.ts'))).toHaveLength(1)
    expect(checkNames(planted('', 'test/bus/date_text.test.ts'))).toHaveLength(1)
  })

  it('are named by what is inside', () => {
    expect(shown(checkNames([...files, ...tests]))).toEqual([])
  })

  it('of more than 300 lines are caught', () => {
    expect(checkLengths(planted('a\n'.repeat(301)))).toHaveLength(1)
    expect(checkLengths(planted('a\n'.repeat(300)))).toEqual([])
  })

  it('have at most 300 lines', () => {
    expect(shown(checkLengths([...files, ...tests]))).toEqual([])
  })

  it('with leftovers are caught', () => {
    expect(checkLeftovers(planted(`// ${'TO'}DO later`))).toHaveLength(1)
    expect(checkLeftovers(planted(`// @ts-${'ignore'}`))).toHaveLength(1)
    expect(checkLeftovers(planted(`open('/${'tm'}p/a')`))).toHaveLength(1)
    expect(checkLeftovers(planted("open('./tmp/a'); fetch('https://a.b/work/c')"))).toEqual([])
  })

  it('leave nothing for later and name no machine', () => {
    const others = filesIn(
      ['web', 'bench', 'examples', 'deploy', 'Dockerfile', 'docker-compose.yml', '.ci'],
      /./,
    )
    expect(shown(checkLeftovers([...files, ...tests, ...documents, ...others]))).toEqual([])
  })
})

describe('functions', () => {
  it('of more than 60 lines are caught by Biome with the rules of this project', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-tidy-'))
    try {
      mkdirSync(join(folder, 'src'))
      const vcs = { enabled: false, useIgnoreFile: false }
      writeFileSync(join(folder, 'biome.json'), JSON.stringify({ extends: [join(ROOT, 'biome.json')], vcs }))
      const lint = (lines: number) => {
        const body = '  work()\n'.repeat(lines)
        writeFileSync(
          join(folder, 'src/long.ts'),
          `export function long() {\n${body}}\n\ndeclare function work(): void\n`,
        )
        const biome = join(ROOT, 'node_modules/.bin/biome')
        const { stdout, stderr } = spawnSync(biome, ['lint', 'src'], { cwd: folder, encoding: 'utf8' })
        return stdout + stderr
      }
      expect(lint(61)).toContain('noExcessiveLinesPerFunction')
      expect(lint(60)).toContain('Checked 1 file')
      expect(lint(60)).not.toContain('noExcessiveLinesPerFunction')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('tests', () => {
  it('that leave others out or claim nothing are caught', () => {
    const wrong = (text: string) => checkTests(planted(text, 'test/bus/a.test.ts'))
    expect(wrong("it.only('a', () => { expect(1).toBe(1) })")).toHaveLength(1)
    expect(wrong("describe.skip('a', () => {})")).toHaveLength(1)
    expect(wrong("it('a', () => { run(1) })")).toHaveLength(1)
    expect(wrong("it.each([1])('expect(%s)', (a) => { run(a) })")).toHaveLength(1)
    expect(wrong("it.each([1])('a %s', (a) => { expect(a).toBe(1) })")).toEqual([])
    expect(wrong("it.skipIf(a).each(b)('c %s', (d) => { expect(d).toBe(1) })")).toEqual([])
    expect(wrong("const a = /b/.test('c')")).toEqual([])
  })

  it('all claim something and none is left out', () => {
    expect(shown(checkTests(tests))).toEqual([])
  })
})

describe('lists', () => {
  it('that differ are caught both ways', () => {
    const left = { what: 'left', names: ['a', 'b'] }
    expect(compareLists(left, { what: 'right', names: ['b', 'c'] })).toEqual([
      'a: in left, not in right',
      'c: in right, not in left',
    ])
  })

  const workers = {
    what: 'workers/',
    names: filesIn(['workers'], /\.ts$/).map(({ path }) => path.slice(8, -3)),
  }

  it('name every worker in the Procfile', () => {
    const lines = [...readProjectFile('Procfile').matchAll(/^([a-z-]+): bin\/sluice worker ([a-z-]+)$/gm)]
    expect(compareLists(workers, { what: 'the Procfile', names: lines.map(([, , name]) => name!) })).toEqual(
      [],
    )
    expect(lines.map(([, name]) => name)).toEqual(lines.map(([, , name]) => name))
  })

  it('name every worker in docker-compose.yml', () => {
    const { services } = parse(readProjectFile('docker-compose.yml')) as {
      services: Record<string, { command?: string[] }>
    }
    const names = Object.values(services).flatMap(({ command }) =>
      command?.[0] === 'worker' ? command.slice(1) : [],
    )
    expect(compareLists(workers, { what: 'docker-compose.yml', names })).toEqual([])
  })

  it('name every setting in .env.example and docs/SETTINGS.md', () => {
    const settings = { what: 'kernel/config.ts', names: Object.keys(SETTINGS) }
    const example = [...readProjectFile('.env.example').matchAll(/^#([A-Z_]+)=/gm)].map(([, name]) => name!)
    const page = [...readProjectFile('docs/SETTINGS.md').matchAll(/^\| `([A-Z_]+)`/gm)].map(
      ([, name]) => name!,
    )
    expect(compareLists(settings, { what: '.env.example', names: example })).toEqual([])
    expect(compareLists(settings, { what: 'docs/SETTINGS.md', names: page })).toEqual([])
  })

  it('name every error code in docs/ERRORS.md', () => {
    const page = [...readProjectFile('docs/ERRORS.md').matchAll(/^## ([A-Z_]+)$/gm)].map(([, code]) => code!)
    expect(
      compareLists(
        { what: 'kernel/errors.ts', names: Object.keys(ERROR_CODES) },
        { what: 'docs/ERRORS.md', names: page },
      ),
    ).toEqual([])
  })
})

describe('documents', () => {
  it.each(Object.entries(generatedDocuments()))(
    '%s is what npm run generate:docs writes',
    (path, content) => {
      expect(readProjectFile(path)).toBe(content)
    },
  )

  it('with a dead link are caught', () => {
    const wrong = (text: string) => checkLinks([{ path: 'docs/a.md', text }])
    expect(wrong('\n[a](missing.md)')).toEqual([
      { path: 'docs/a.md', line: 2, what: 'the link to missing.md leads nowhere' },
    ])
    expect(wrong('# One\n[a](#two)')).toHaveLength(1)
    expect(wrong('[a](../README.md#no-such-heading)')).toHaveLength(1)
    expect(
      wrong('# One two\n[a](#one-two) [b](../README.md) [c](https://example.com) `[d](missing.md)`'),
    ).toEqual([])
  })

  it('have no dead link', () => {
    expect(shown(checkLinks(documents))).toEqual([])
  })
})
