// What stands before the database: so many loads at once and no more, however many ask and whatever else is away.
import { afterMs, SluiceError } from '../kernel/index.ts'

export interface Bulkhead {
  /**
   * Runs the load when there is room. Rejects with CACHE_OVERLOADED when there is none within `deadlineMs`, and when
   * the load takes longer than that; its room is given away only when it has ended.
   */
  run<T>(load: () => Promise<T>): Promise<T>
  running(): number
}

export function openBulkhead(limit: number, deadlineMs: number): Bulkhead {
  let running = 0
  const waiting = new Set<() => void>()

  const leave = () => {
    running--
    const [next] = waiting
    if (!next) return
    waiting.delete(next)
    next()
  }
  const late = (what: string) =>
    new SluiceError(
      'CACHE_OVERLOADED',
      `${what} in ${deadlineMs} ms; ${running} of ${limit} loads run and ${waiting.size} wait.`,
      { limit, deadlineMs, waiting: waiting.size },
    )
  const room = () =>
    new Promise<void>((resolve, reject) => {
      const begin = () => {
        cancel()
        running++
        resolve()
      }
      const cancel = afterMs(deadlineMs, () => {
        waiting.delete(begin)
        reject(late('No answer was begun'))
      })
      waiting.add(begin)
    })
  return {
    async run(load) {
      if (running < limit && waiting.size === 0) running++
      else await room()
      const { promise, reject } = Promise.withResolvers<never>()
      const cancel = afterMs(deadlineMs, () => reject(late('No answer came')))
      const ended = Promise.resolve().then(load).finally(leave)
      try {
        return await Promise.race([ended, promise])
      } finally {
        cancel()
        ended.catch(() => {})
      }
    },
    running: () => running,
  }
}
