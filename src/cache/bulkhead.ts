// What stands before the database: so many loads at once and no more, however many ask and whatever else is away.
import { afterMs, openLine, SluiceError } from '../kernel/index.ts'

export interface Bulkhead {
  /**
   * Runs the load when there is room. Rejects with CACHE_OVERLOADED when there is none within `deadlineMs`, and when
   * the load takes longer than that: its signal aborts then, and its room is given away only when it has ended.
   */
  run<T>(load: (signal: AbortSignal) => Promise<T>): Promise<T>
  running(): number
}

export function openBulkhead(limit: number, deadlineMs: number): Bulkhead {
  const line = openLine(limit)
  const late = (what: string) => {
    const [running, waiting] = [line.running(), line.waiting()]
    const sentence = `${what} in ${deadlineMs} ms; ${running} of ${limit} loads run and ${waiting} wait.`
    return new SluiceError('CACHE_OVERLOADED', sentence, { limit, deadlineMs, waiting })
  }
  return {
    async run(load) {
      const leave = await line.enter(deadlineMs)
      if (!leave) throw late('No answer was begun')
      const over = new AbortController()
      // Not a race of promises, which was 2 of the 40 µs of a load.
      return new Promise((resolve, reject) => {
        const cancel = afterMs(deadlineMs, () => {
          const error = late('No answer came')
          over.abort(error)
          reject(error)
        })
        const end = () => {
          cancel()
          leave()
        }
        begin(load, over.signal).then(
          (value) => {
            end()
            resolve(value)
          },
          (error: unknown) => {
            end()
            reject(error)
          },
        )
      })
    },
    running: line.running,
  }
}

/** Rejects also for a load that throws at once. */
const begin = async <T>(load: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> =>
  load(signal)
