// Archives days that are over, once an hour, in a thread. Several processes may: one that finds a day in work leaves it.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { type Clock, messageOf, repeat, type Task } from '../kernel/index.ts'
import type { ArchiveNews, ArchiveThreadData } from './archive-thread.ts'
import type { TickEmitter } from './tick-events.ts'

const EVERY_MS = 3_600_000

export interface ArchiveDaysOptions extends ArchiveThreadData {
  readonly clock: Clock
  readonly events: TickEmitter
}

/** At the abort it ends in the middle of a day; the next one goes on. */
export const archiveDays = ({ clock, events, ...workerData }: ArchiveDaysOptions): Task =>
  repeat(EVERY_MS, clock, async (signal) => {
    const thread = new Worker(new URL('./archive-thread.ts', import.meta.url), { workerData })
    const end = () => void thread.terminate()
    signal.addEventListener('abort', end, { once: true })
    thread.on('message', (news: ArchiveNews) => {
      if ('reason' in news) events.emit('unarchived', news)
      else events.emit('archived', news)
    })
    try {
      await once(thread, 'exit')
    } catch (error) {
      events.emit('unarchived', { day: 'all', reason: messageOf(error) })
    } finally {
      signal.removeEventListener('abort', end)
    }
  })
