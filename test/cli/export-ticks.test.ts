// `sluice ticks export` into a file: whole or not there, and never in the place of something that is no file.
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Terminal } from '../../src/cli/terminal.ts'
import { exportTicks } from '../../src/cli/ticks.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { openSqliteTicks } from '../../src/ticks/index.ts'
import { tick } from '../ticks/samples.ts'

let folder: string
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-export-'))
  Object.assign(process.env, { DATA_DIR: folder })
  const store = openSqliteTicks({ dir: join(folder, 'ticks'), clock: systemClock })
  await store.write([tick()])
  await store.close()
})
afterEach(() => {
  // A command lets go of the channel to its parent, which here is the one to vitest: the next file needs it.
  process.channel?.ref()
  delete process.env['DATA_DIR']
  rmSync(folder, { recursive: true })
})

const terminal: Terminal = { json: false, colours: false, result() {}, line() {}, note() {} }
const exported = (out: string) => exportTicks('EURUSD', { from: '2020-01-01T00:00:00Z', out }, terminal)

it('an exported file is whole, and one that cannot be written is named', async () => {
  const out = join(folder, 'eurusd.csv')
  await exported(out)
  await exported(out)
  expect(readFileSync(out, 'utf8').trim().split('\n')).toHaveLength(2)
  const nowhere = {
    code: 'USAGE',
    message: expect.stringMatching(/^--out .*none.x\.csv cannot be written: ENOENT/),
  }
  await expect(exported(join(folder, 'none/x.csv'))).rejects.toMatchObject(nowhere)
})

it('an export takes the place of no link, device or folder', async () => {
  const link = join(folder, 'link')
  symlinkSync('/dev/null', link)
  for (const out of [link, folder]) {
    const refused = { code: 'USAGE', message: expect.stringContaining('is no plain file') }
    await expect(exported(out)).rejects.toMatchObject(refused)
    expect(existsSync(`${out}.partial`)).toBe(false)
  }
})
