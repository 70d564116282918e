// Serves a main thread with files of ticks: takes batches, tells what became of them, tidies up now and then.
import type { MessagePort } from 'node:worker_threads'
import { isSluiceError, messageOf, systemClock } from '../kernel/index.ts'
import type { TickBatch } from './batch.ts'
import type { TickFiles } from './sqlite-files.ts'
import { type DayNews, openDays } from './writer-days.ts'
import type { ThreadData } from './writer-thread.ts'

export type Order =
  | { readonly kind: 'write'; readonly id: number; readonly batch: TickBatch }
  /** What waits for its day is forgotten; the files are closed and the thread ends. */
  | { readonly kind: 'end' }

export type News =
  | DayNews
  /** All that could be written of it at once was. */
  | { readonly kind: 'tried'; readonly id: number }
  | { readonly kind: 'disturbed'; readonly where: 'checkpoint' | 'close'; readonly reason: string }

export function serveTicks(
  port: MessagePort,
  { checkpointMs, givesBackAll }: ThreadData,
  open: () => TickFiles,
): void {
  let files: TickFiles | undefined
  const stop = new AbortController()
  // What is said while a batch is written goes as one message.
  let news: News[] = []
  let isTrying = false
  const tell = (one: News) => {
    news.push(one)
    if (isTrying) return
    port.postMessage(news)
    news = []
  }
  const orNews = (where: 'checkpoint' | 'close', work: () => void) => {
    try {
      work()
    } catch (error) {
      tell({ kind: 'disturbed', where, reason: messageOf(error) })
    }
  }
  const write = (batch: TickBatch) => {
    files ??= open()
    try {
      return files.write(batch)
    } catch (error) {
      // What was opened on a disk that could only be read stays so; the next attempt opens it anew.
      if (isSluiceError(error, 'DATABASE_UNAVAILABLE')) closeFiles()
      throw error
    }
  }
  const closeFiles = () => {
    const closing = files
    files = undefined
    orNews('close', () => closing?.close())
  }
  const days = openDays({ write, clock: systemClock, tell, givesBackAll })
  const checkpoint = () => orNews('checkpoint', () => files?.checkpoint())
  const checkpoints = async () => {
    for (;;) {
      await systemClock.sleep(checkpointMs, stop.signal)
      if (stop.signal.aborted) return
      checkpoint()
    }
  }
  void checkpoints()

  port.on('message', (order: Order) => {
    if (order.kind === 'write') {
      isTrying = true
      days.take(order.id, order.batch)
      isTrying = false
      return tell({ kind: 'tried', id: order.id })
    }
    stop.abort()
    days.close()
    checkpoint()
    closeFiles()
    port.close()
  })
}
