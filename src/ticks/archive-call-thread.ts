// The thread of one call, and its end.
import { parentPort, workerData } from 'node:worker_threads'
import { type ErrorCode, isSluiceError, messageOf, systemClock } from '../kernel/index.ts'
import { type DayReport, openTickArchive, type TickArchive } from './archive.ts'
import { daysToArchive } from './archive-due.ts'

export type ArchiveCall =
  | { readonly verb: 'list' | 'rotate' }
  | { readonly verb: 'compress' | 'verify' | 'restore'; readonly day: string }

export interface ArchiveCallData {
  readonly dir: string
  readonly afterDays: number
  readonly asked: ArchiveCall
}

export type ArchiveAnswer =
  | { readonly result: unknown }
  | { readonly code: ErrorCode; readonly message: string }

function rotate(archive: TickArchive, afterDays: number) {
  const days: DayReport[] = []
  const failed: Record<string, string> = {}
  for (const day of daysToArchive(archive, systemClock.now(), afterDays)) {
    try {
      days.push(archive.compress(day))
    } catch (error) {
      failed[day] = messageOf(error)
    }
  }
  return { days, failed }
}

function answer({ dir, afterDays, asked }: ArchiveCallData): ArchiveAnswer {
  const archive = openTickArchive({ dir, clock: systemClock })
  try {
    if ('day' in asked) return { result: archive[asked.verb](asked.day) }
    return { result: asked.verb === 'list' ? archive.list() : rotate(archive, afterDays) }
  } catch (error) {
    // What nobody foresaw ends the thread, and is thrown there with its stack.
    if (!isSluiceError(error)) throw error
    return { code: error.code, message: error.message }
  } finally {
    archive.close()
  }
}

parentPort?.postMessage(answer(workerData as ArchiveCallData))
