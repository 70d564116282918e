// Some at once, the others in the order in which they came.
import { afterMs } from './clock.ts'

export interface Line {
  /**
   * Resolves when there is a place, with what gives it on; undefined when there was none within `withinMs`, which is
   * left out by who waits for ever.
   */
  enter(withinMs?: number): Promise<(() => void) | undefined>
  running(): number
  waiting(): number
}

export function openLine(max: number): Line {
  let running = 0
  const waiting = new Set<() => void>()

  const placed = () => {
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      const [next] = waiting
      // Whoever waits takes the place over, so the count stays.
      if (next) next()
      else running--
    }
  }
  return {
    async enter(withinMs) {
      if (running < max) {
        running++
        return placed()
      }
      return new Promise((resolve) => {
        const leave = () => waiting.delete(begin)
        const begin = () => {
          cancel?.()
          leave()
          resolve(placed())
        }
        const tooLate = () => {
          leave()
          resolve(undefined)
        }
        const cancel = withinMs === undefined ? undefined : afterMs(withinMs, tooLate)
        waiting.add(begin)
      })
    },
    running: () => running,
    waiting: () => waiting.size,
  }
}
