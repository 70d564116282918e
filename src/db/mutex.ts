// First come, first served, with a deadline: SQLite has one writer, and a queue in the process is fairer and far
// cheaper than a race for the file's lock.
import { afterMs } from '../kernel/index.ts'

export interface Mutex {
  /** Resolves with the release, or with undefined when `waitMs` passed first. */
  acquire(waitMs: number): Promise<(() => void) | undefined>
}

/** Lets at most `slots` holders in at a time. */
export function openMutex(slots = 1): Mutex {
  const waiting: (() => void)[] = []
  let free = slots

  const releaseOnce = () => {
    let released = false
    return () => {
      if (released) return
      released = true
      free++
      waiting.shift()?.()
    }
  }

  return {
    acquire(waitMs) {
      if (free > 0) {
        free--
        return Promise.resolve(releaseOnce())
      }
      return new Promise((resolve) => {
        const enter = () => {
          cancel()
          free--
          resolve(releaseOnce())
        }
        const cancel = afterMs(waitMs, () => {
          waiting.splice(waiting.indexOf(enter), 1)
          resolve(undefined)
        })
        waiting.push(enter)
      })
    },
  }
}
