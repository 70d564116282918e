import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { makeFolder } from '../../src/kernel/index.ts'

let place: string
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), 'sluice-folder-'))
})
afterAll(() => rmSync(place, { recursive: true }))

it('makes what is missing, once, and says what was the first of it', () => {
  const path = join(place, 'a/b/c')
  expect(makeFolder(path, 0o700)).toBe(join(place, 'a'))
  expect(statSync(path).mode & 0o777).toBe(0o700)
  expect(makeFolder(path)).toBeUndefined()
  expect(makeFolder(join(place, 'a/d'))).toBe(join(place, 'a/d'))
})

it('names the folder and the cause where there cannot be one', () => {
  writeFileSync(join(place, 'file'), '')
  symlinkSync(join(place, 'nowhere'), join(place, 'link'))
  for (const path of [join(place, 'file'), join(place, 'file/under'), join(place, 'link')]) {
    expect(() => makeFolder(path)).toThrow(
      expect.objectContaining({ code: 'DATABASE_UNAVAILABLE', message: expect.stringContaining(path) }),
    )
  }
})

// In a process of its own, because what this is about never returns.
it.runIf(existsSync('/proc/self'))('gives up where the system makes none', () => {
  const kernel = join(import.meta.dirname, '../../src/kernel/index.ts')
  const script = `import { makeFolder } from '${kernel}'; makeFolder('/proc/none/under')`
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    timeout: 20_000,
  })
  expect(status).toBe(1)
  expect(stderr).toContain('The folder /proc/none/under cannot be made: ENOENT')
})
