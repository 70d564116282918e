// What a process that answers others asks of the archives: in a thread, because reading a day of ten million ticks takes
// half a minute, and looking at all days some seconds.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { type Config, SluiceError } from '../kernel/index.ts'
import type { DayReport } from './archive.ts'
import type { ArchiveAnswer, ArchiveCall, ArchiveCallData } from './archive-call-thread.ts'
import type { Verified } from './archive-verify.ts'
import { demandDayFiles } from './open-ticks.ts'

/** All reject with USAGE where ticks are kept otherwise, and `compress`, `verify` and `restore` as TickArchive says. */
export interface ArchiveCalls {
  list(): Promise<readonly DayReport[]>
  compress(day: string): Promise<DayReport>
  verify(day: string): Promise<Verified>
  restore(day: string): Promise<DayReport>
  /** Compresses each day that is due; one that fails is named and does not hold up the others. */
  rotate(): Promise<{
    readonly days: readonly DayReport[]
    readonly failed: Readonly<Record<string, string>>
  }>
}

export type ArchiveConfig = Pick<Config, 'TICKS_BACKEND' | 'TICKS_DIR' | 'TICKS_ARCHIVE_AFTER_DAYS'>

/** One of them at a time, but `list`: each takes a core. DATABASE_BUSY while another one runs. */
export function openArchiveCalls(config: ArchiveConfig): ArchiveCalls {
  let running: string | undefined
  const call = async <T>(asked: ArchiveCall): Promise<T> => {
    demandDayFiles(config)
    return (await inThread({ dir: config.TICKS_DIR, afterDays: config.TICKS_ARCHIVE_AFTER_DAYS, asked })) as T
  }
  const alone = async <T>(asked: ArchiveCall): Promise<T> => {
    if (running !== undefined) {
      throw new SluiceError(
        'DATABASE_BUSY',
        `The files of ticks are at work (${running}); ask again when it is done.`,
      )
    }
    running = 'day' in asked ? `${asked.verb} ${asked.day}` : asked.verb
    try {
      return await call(asked)
    } finally {
      running = undefined
    }
  }
  return {
    list: () => call({ verb: 'list' }),
    rotate: () => alone({ verb: 'rotate' }),
    compress: (day) => alone({ verb: 'compress', day }),
    verify: (day) => alone({ verb: 'verify', day }),
    restore: (day) => alone({ verb: 'restore', day }),
  }
}

async function inThread(workerData: ArchiveCallData): Promise<unknown> {
  const thread = new Worker(new URL('./archive-call-thread.ts', import.meta.url), { workerData })
  const ended = once(thread, 'exit')
  const [answer] = (await Promise.race([once(thread, 'message'), ended.then(() => [undefined])])) as [
    ArchiveAnswer | undefined,
  ]
  await ended
  if (!answer)
    throw new SluiceError('DATABASE_UNAVAILABLE', 'The thread of the archives ended without an answer.')
  if ('code' in answer) throw new SluiceError(answer.code, answer.message)
  return answer.result
}
