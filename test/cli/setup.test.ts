// The door of a fresh clone: bin/setup.mjs and bin/prepare.mjs.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { whatIsMissing } from '../../bin/prepare.mjs'
import { ROOT } from '../rules/files.ts'
import { scan } from '../rules/scan.ts'
import { run } from '../support/command.ts'
import { eventually } from '../support/eventually.ts'
import { aliveOf } from '../support/processes.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-setup-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const write = (path: string, content: unknown) => {
  mkdirSync(join(folder, path, '..'), { recursive: true })
  writeFileSync(join(folder, path), typeof content === 'string' ? content : JSON.stringify(content))
}

describe('an old Node', () => {
  it('gets one sentence and exit code 1', async () => {
    const source = readFileSync(join(ROOT, 'bin/setup.mjs'), 'utf8')
    write('setup.mjs', source.replace('process.versions.node.split', "'12.22.0'.split"))
    const { code, stderr } = await run(process.execPath, [join(folder, 'setup.mjs'), 'start']).ended
    expect(code).toBe(1)
    expect(stderr).toMatch(/^sluice: .* please install Node 20 or newer .*\n$/)
  })

  it('can read the file that tells it', () => {
    const source = readFileSync(join(ROOT, 'bin/setup.mjs'), 'utf8')
    // Optional chaining came with 14, top-level await with 14.8, node: imports with 12.20.
    expect(scan(source).withStrings).not.toMatch(/\?\.|\?\?|\bawait\b|'node:/)
  })
})

describe('whether to install', () => {
  const manifest = { dependencies: { a: '^1.0.0' }, devDependencies: { b: '^2.0.0' } }
  const packages = {
    'node_modules/a': { version: '1.0.1' },
    'node_modules/b': { version: '2.0.0', dev: true },
    'node_modules/other-platform': { version: '1.0.0', optional: true },
  }
  const prepare = () => {
    write('package.json', manifest)
    write('package-lock.json', { packages: { '': manifest, ...packages } })
    write('node_modules/.package-lock.json', { packages })
    write('node_modules/.bin/node', '')
  }

  it('is no when everything is there, also without packages of other platforms', () => {
    prepare()
    const { 'node_modules/other-platform': _, ...here } = packages
    write('node_modules/.package-lock.json', { packages: here })
    expect(whatIsMissing(folder, false)).toBeUndefined()
  })

  it.each([
    ['node_modules is missing', () => rmSync(join(folder, 'node_modules'), { recursive: true })],
    ['c is not installed', () => write('package.json', { dependencies: { a: '^1.0.0', c: '1' } })],
    ['a changed in package.json', () => write('package.json', { dependencies: { a: '^1.2.0' } })],
    [
      'a is not at 1.0.2',
      () =>
        write('package-lock.json', { packages: { '': manifest, 'node_modules/a': { version: '1.0.2' } } }),
    ],
    ['Node 24 is not in node_modules', () => rmSync(join(folder, 'node_modules/.bin/node'))],
  ])('is yes because %s', (reason, damage) => {
    prepare()
    damage()
    expect(whatIsMissing(folder, false)).toBe(reason)
  })

  it('does not ask for development packages to start', () => {
    prepare()
    write('node_modules/.package-lock.json', { packages: { 'node_modules/a': packages['node_modules/a'] } })
    expect(whatIsMissing(folder, true)).toBeUndefined()
    expect(whatIsMissing(folder, false)).toBe('b is not installed')
  })

  it('is no for this checkout', () => {
    expect(whatIsMissing(ROOT, false)).toBeUndefined()
  })
})

describe('what it hands over to', () => {
  // A project with nothing but the door and a `vitest` of its own.
  beforeEach(() => {
    cpSync(join(ROOT, 'bin'), join(folder, 'bin'), { recursive: true })
    write('package.json', {})
    write('node_modules/.package-lock.json', { packages: {} })
    write('node_modules/.bin/node', `#!/bin/sh\nexec '${process.execPath}' "$@"\n`)
    write(
      'node_modules/.bin/vitest',
      '#!/bin/sh\necho "got $*"\n[ "$2" = wait ] && { echo "pid $$"; exec sleep 60; }\nexit 7\n',
    )
  })
  const setup = (...args: string[]) =>
    run(
      'sh',
      ['-c', 'chmod +x node_modules/.bin/*; exec "$@"', 'sh', process.execPath, 'bin/setup.mjs', ...args],
      { cwd: folder },
    )

  it('gets the arguments and gives back its exit code', async () => {
    const { code, stdout } = await setup('test', 'test/bus', '-t', 'a b').ended
    expect(stdout).toContain('got run test/bus -t a b')
    expect(code).toBe(7)
  })

  it('gets the signals', async () => {
    const { child, says, ended } = setup('test', 'wait')
    const pid = Number((await says(/pid (\d+)/))[1])
    child.kill('SIGTERM')
    expect((await ended).code).toBe(143)
    await eventually(() => aliveOf([pid]).length === 0, { what: 'the end of the child' })
  })

  it('must be one of those that exist', async () => {
    const { code, stderr } = await setup('dance').ended
    expect(code).toBe(2)
    expect(stderr).toContain('start, test, chaos, race, verify, check')
  })
})
