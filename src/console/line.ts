// Some at once, the others in the order in which they came.

export type Line = <T>(work: () => Promise<T>) => Promise<T>

export function openLine(max: number): Line {
  let running = 0
  const waiting: (() => void)[] = []
  return async (work) => {
    // Whoever ends hands its place over, so the count stays.
    if (running >= max) await new Promise<void>((resolve) => waiting.push(resolve))
    else running++
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }
}
