// Many handlers, one transaction: what comes while one commits goes together into the next. A commit costs about as
// much for one bar as for hundreds.
export interface Batch<T> {
  /** Resolves when the item is committed, rejects when it is not. */
  add(item: T): Promise<void>
}

interface Waiting<T> {
  readonly item: T
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * @param write all or nothing.
 * @param isShared an error that says nothing about single items (the database is away): all of them get it. Any other
 * has the items written one by one, so that it meets the one that caused it.
 */
export function openBatch<T>(
  write: (items: readonly T[]) => Promise<void>,
  isShared: (error: unknown) => boolean,
): Batch<T> {
  let waiting: Waiting<T>[] = []
  let isWriting = false

  async function writeAll(batch: readonly Waiting<T>[]): Promise<void> {
    try {
      await write(batch.map(({ item }) => item))
      for (const { resolve } of batch) resolve()
    } catch (error) {
      if (batch.length === 1 || isShared(error)) for (const { reject } of batch) reject(error)
      else for (const one of batch) await writeAll([one])
    }
  }

  async function work(): Promise<void> {
    isWriting = true
    // What is added in this turn of the loop belongs together already.
    await Promise.resolve()
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      await writeAll(batch)
    }
    isWriting = false
  }

  return {
    add: (item) =>
      new Promise((resolve, reject) => {
        waiting.push({ item, resolve, reject })
        if (!isWriting) void work()
      }),
  }
}
