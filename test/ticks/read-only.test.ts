// Ticks on a disk that can only be read: a backup, or the disk of a worker that has ended.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { systemClock } from '../../src/kernel/index.ts'
import { openSqliteTicks } from '../../src/ticks/sqlite-ticks.ts'
import { DAY, withStore } from './day-file-ticks.ts'
import { NOON, tick } from './samples.ts'
import { dayFile } from './writer-stage.ts'

let place: string
let dir: string
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'sluice-read-only-'))
  dir = join(place, 'ticks')
})
afterEach(() => {
  allow(place, true)
  rmSync(place, { recursive: true })
})

function allow(path: string, writing: boolean): void {
  const isFolder = statSync(path).isDirectory()
  chmodSync(path, (isFolder ? 0o555 : 0o444) | (writing ? 0o222 : 0))
  if (isFolder) for (const name of readdirSync(path)) allow(join(path, name), writing)
}

const NOBODY = 65_534
const SYMBOL = 'EURUSD'
const ticks = (from: number, count: number) =>
  Array.from({ length: count }, (_, n) => tick({ symbol: SYMBOL, time: NOON + from + n, bid: 1 + n / 1e4 }))

/** Another process, which may write nothing. Permissions do not stop root. */
function reader(folder: string) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'read-only-child.ts'), folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
    ...(process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}),
  })
  const lines = createInterface({ input: child.stdout })
  return {
    async read() {
      child.stdin.write(`${SYMBOL}\n`)
      const [line] = (await once(lines, 'line')) as [string]
      return JSON.parse(line) as Record<string, unknown>
    },
    async end() {
      child.stdin.end()
      await once(child, 'exit')
    },
  }
}

const whole = (count: number) => ({ ticks: count, counted: count, problems: [] })

it('are read after a clean stop, also without the lock file, and what somebody else adds is seen', async () => {
  await withStore(dir, (store) => store.write(ticks(0, 20)))
  rmSync(join(dir, 'days.lock'))
  allow(place, false)
  const other = reader(dir)
  expect(await other.read()).toEqual(whole(20))
  allow(place, true)
  await withStore(dir, (store) => store.write(ticks(1_000, 5)))
  allow(place, false)
  expect(await other.read()).toEqual(whole(25))
  await other.end()
})

it('are read where SQLite has no room for what it puts beside a file, and not written', async () => {
  await withStore(dir, (store) => store.write(ticks(0, 20)))
  // As with a full disk: SQLite follows no link.
  const beside = `${dayFile(dir, DAY)}-shm`
  symlinkSync(join(place, 'nowhere'), beside)
  const store = openSqliteTicks({ dir, clock: systemClock })
  expect(await store.recent(SYMBOL, 100)).toEqual(ticks(0, 20))
  await expect(store.write(ticks(1_000, 1))).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
  rmSync(beside)
  await store.write(ticks(1_000, 1))
  expect(await store.recent(SYMBOL, 100)).toHaveLength(21)
  await store.close()
})

it('that nobody closed are not answered without their newest: what to do is said', async () => {
  const store = openSqliteTicks({ dir, clock: systemClock })
  await store.write(ticks(0, 20))
  const copy = join(place, 'copy')
  // The log, and not the index that SQLite has to make anew.
  cpSync(dir, copy, { recursive: true, filter: (path) => !path.endsWith('-shm') })
  await store.close()
  allow(place, false)
  const other = reader(copy)
  expect(await other.read()).toEqual({
    code: 'DATABASE_UNAVAILABLE',
    message: expect.stringContaining('Copy the folder with all of its files to where it can be written'),
  })
  await other.end()
})
