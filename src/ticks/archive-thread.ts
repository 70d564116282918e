// The thread that archives what is due, and ends: reading, rewriting and comparing a day of ten million ticks takes
// half a minute, which must not hold up anybody.
import { parentPort, workerData } from 'node:worker_threads'
import { messageOf, systemClock } from '../kernel/index.ts'
import { openTickArchive } from './archive.ts'
import { daysToArchive } from './archive-due.ts'

export interface ArchiveThreadData {
  readonly dir: string
  readonly afterDays: number
}

/** What it says for each day. */
export type ArchiveNews =
  | { readonly day: string; readonly ticks: number; readonly bytes: number; readonly tookMs: number }
  | { readonly day: string; readonly reason: string }

if (parentPort) {
  const { dir, afterDays } = workerData as ArchiveThreadData
  const archive = openTickArchive({ dir, clock: systemClock })
  for (const day of daysToArchive(archive, systemClock.now(), afterDays)) {
    const began = systemClock.monotonic()
    try {
      const { ticks, bytes } = archive.compress(day)
      parentPort.postMessage({ day, ticks, bytes, tookMs: systemClock.monotonic() - began })
    } catch (error) {
      parentPort.postMessage({ day, reason: messageOf(error) })
    }
  }
  archive.close()
}
