import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { folderForTest } from './spill-folder.ts'
import { LIST, tickOf } from './spill-stage.ts'
import { dayFile, exitOf, lockedByAnother, openForTest, storedIn } from './writer-stage.ts'

/** A process that adds without end. */
function startAdding(dir: string, options: object) {
  const program = join(import.meta.dirname, 'writer-child.ts')
  const child = spawn(process.execPath, [program, dir, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said += text
  })
  /** What it has said to be confirmed; the last line may be half written. */
  const lists = () =>
    said
      .split('\n')
      .slice(0, -1)
      .map((line) => line.split(' ').map(Number) as [from: number, spilled: number])
  return {
    confirmed: () => lists().flatMap(([from]) => Array.from({ length: LIST }, (_, n) => from + n)),
    spilled: () => lists().reduce((sum, [, spilled]) => sum + spilled, 0),
    async kill() {
      child.kill('SIGKILL')
      expect(await exitOf(child)).toBe('SIGKILL')
    },
  }
}

/** Those of the numbers that are not in the files. */
async function missing(dir: string, numbers: readonly number[]): Promise<number[]> {
  const stored = new Set((await storedIn(dir)).map(({ volume }) => volume))
  return numbers.filter((n) => !stored.has(n))
}

describe('a process that writes ticks and is killed', () => {
  it('has stored all that it had confirmed', async () => {
    const dir = folderForTest()
    const child = startAdding(dir, { batchTicks: 512 })
    await eventually(() => child.confirmed().length > 5_000)
    await child.kill()
    expect(await missing(dir, child.confirmed())).toEqual([])
    // The checker finds what is missing.
    expect(await missing(dir, [...child.confirmed(), 1e9])).toEqual([1e9])
  })

  it('while another held its file, leaves the rest in spill files, which the next start stores', async () => {
    const dir = folderForTest()
    const before = openForTest(dir)
    await before.writer.add([tickOf(0)])
    await before.writer.close()
    const locker = await lockedByAnother(dayFile(dir, '2026-01-19'))
    const child = startAdding(dir, { full: 'spill', queueMax: 800 })
    await eventually(() => child.spilled() > 2_000)
    await child.kill()
    await locker.release()
    expect((await missing(dir, child.confirmed())).length).toBeGreaterThan(2_000)
    const next = openForTest(dir)
    expect(next.writer.health().inSpill).toBeGreaterThan(2_000)
    await eventually(() => next.writer.health().inSpill === 0)
    expect(await missing(dir, child.confirmed())).toEqual([])
    expect(next.told('refused')).toEqual([])
  })
})
