// A tick writer for a test, with what it tells, and what a test does to its files.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { systemClock } from '../../src/kernel/index.ts'
import { openSpill } from '../../src/ticks/spill.ts'
import { openTickReads } from '../../src/ticks/sqlite-reads.ts'
import type { Tick } from '../../src/ticks/tick.ts'
import { type TickEvents, tickEmitter } from '../../src/ticks/tick-events.ts'
import { openTickWriter, type TickWriterOptions } from '../../src/ticks/writer.ts'
import { DAY_MS } from './spill-stage.ts'

export type Fact<K extends keyof TickEvents> = Parameters<TickEvents[K]>[0]

const thread = new URL('./writer-mortal.ts', import.meta.url)

export function openForTest(dir: string, options: Partial<TickWriterOptions> = {}) {
  const events = tickEmitter()
  const told: Partial<Record<keyof TickEvents, unknown[]>> = {}
  const emit = events.emit.bind(events)
  events.emit = ((kind: keyof TickEvents, fact: never) => {
    told[kind] ??= []
    told[kind].push(fact)
    return emit(kind, fact)
  }) as typeof events.emit
  const writer = openTickWriter({ dir, clock: systemClock, events, thread, closeMs: 300, ...options })
  onTestFinished(() => writer.close())
  /** All facts of one event so far. */
  const facts = <K extends keyof TickEvents>(kind: K) => (told[kind] ?? []) as Fact<K>[]
  const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0)
  return {
    writer,
    told: facts,
    counts: () => ({
      received: sum(facts('received').map(({ count }) => count)),
      stored: sum(facts('flushed').map(({ stored }) => stored)),
      duplicate: sum(facts('flushed').map(({ duplicate }) => duplicate)),
      batches: facts('flushed').length,
      spilled: sum(facts('spilled').map(({ count }) => count)),
      drained: sum(facts('drained').map(({ stored, duplicate }) => stored + duplicate)),
      refused: sum(facts('refused').map(({ count }) => count)),
      retries: facts('retried').length,
      failures: facts('failing').length + facts('died').length,
    }),
  }
}

/** The spill files of a writer in that folder, without one. */
export const spillIn = (dir: string) =>
  openSpill({ root: join(dir, 'spill'), clock: systemClock, events: tickEmitter(), isFailing: () => false })

/** Of 2026-01-19 and later, the path of the file that is written. */
export function dayFile(dir: string, day: string): string {
  return join(dir, day.slice(0, 4), day.slice(5, 7), `ticks_${day}.db`)
}

/** All that is in the files of a folder, by day and symbol. */
export async function storedIn(dir: string): Promise<Tick[]> {
  const reads = openTickReads({ dir, clock: systemClock })
  const found: Tick[] = []
  for (const { day, symbol, source } of await reads.series()) {
    const from = Date.parse(day)
    found.push(...(await reads.range({ symbol, source, from, to: from + DAY_MS })))
  }
  await reads.close()
  return found
}

export interface Locker {
  release(): Promise<void>
}

const LOCKER = `
import SqliteFile from 'better-sqlite3'
const file = new SqliteFile(process.argv[1])
file.exec('BEGIN IMMEDIATE')
process.stdout.write('locked')
process.stdin.on('end', () => file.exec('ROLLBACK')).resume()`

/** Another process has begun to write the file and does not come to an end. */
export async function lockedByAnother(path: string): Promise<Locker> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', LOCKER, path], {
    stdio: ['pipe', 'pipe', 'inherit'],
    cwd: import.meta.dirname,
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return {
    async release() {
      child.stdin.end()
      await exitOf(child)
    },
  }
}

export const exitOf = async (child: ChildProcess): Promise<NodeJS.Signals | number | null> => {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return child.signalCode ?? child.exitCode
}
