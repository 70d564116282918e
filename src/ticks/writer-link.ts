// The main thread's end of the writing thread: starts it, hands it batches, and starts another when it dies.
import { Worker } from 'node:worker_threads'
import { type Clock, messageOf } from '../kernel/index.ts'
import { type TickBatch, transferablesOf } from './batch.ts'
import type { News, Order } from './writer-serve.ts'
import type { ThreadData } from './writer-thread.ts'

const RESTART_MS = 100
const RESTART_MS_MAX = 5_000

export interface LinkOptions {
  readonly entry: URL
  readonly data: ThreadData
  readonly clock: Clock
  readonly onNews: (news: readonly News[]) => void
  /** What it was handed and has not told of is with nobody now. */
  readonly onDied: (reason: string) => void
  /** Another takes orders. */
  readonly onUp: () => void
}

export interface Link {
  /** There is a thread that takes orders. */
  isUp(): boolean
  /** The batch is empty here afterwards. */
  write(id: number, batch: TickBatch): void
  /** Resolves when the thread has closed its files and ended; one that does not within `ms` is cut off. */
  end(ms: number): Promise<void>
}

export function openLink({ entry, data, clock, onNews, onDied, onUp }: LinkOptions): Link {
  let worker: Worker | undefined
  let isEnding = false
  /** Threads in a row that ended before they said anything. */
  let mute = 0
  const ended = Promise.withResolvers<void>()
  const stop = new AbortController()

  const start = () => {
    const started = new Worker(entry, { workerData: data, name: 'ticks' })
    let reason: string | undefined
    started.on('message', (news: readonly News[]) => {
      mute = 0
      onNews(news)
    })
    started.on('error', (error) => {
      reason = messageOf(error)
    })
    started.on('exit', (code) => {
      worker = undefined
      if (isEnding) return ended.resolve()
      onDied(reason ?? `it ended with code ${code}`)
      void restart()
    })
    worker = started
  }
  const restart = async (): Promise<void> => {
    // One that dies at once would die at once again.
    const pauseMs = mute === 0 ? 0 : Math.min(RESTART_MS_MAX, RESTART_MS * 2 ** Math.min(mute, 10))
    mute++
    if (pauseMs > 0) await clock.sleep(pauseMs, stop.signal)
    if (isEnding) return
    try {
      start()
    } catch (error) {
      onDied(messageOf(error))
      return restart()
    }
    onUp()
  }
  start()

  const post = (order: Order, transfer: readonly ArrayBuffer[] = []) => worker?.postMessage(order, transfer)
  return {
    isUp: () => worker !== undefined && !isEnding,
    // The columns of a batch may share a buffer, which can be named only once.
    write: (id, batch) => post({ kind: 'write', id, batch }, [...new Set(transferablesOf(batch))]),
    async end(ms) {
      isEnding = true
      stop.abort()
      if (!worker) return
      post({ kind: 'end' })
      const over = new AbortController()
      const late = clock
        .sleep(ms, over.signal)
        .then(() => (over.signal.aborted ? undefined : worker?.terminate()))
      await ended.promise
      over.abort()
      await late
    },
  }
}
