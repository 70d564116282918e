// Acknowledgements are collected while the one before is under way and sent as one command: batches decide
// throughput (COUNT 1 with awaited XACK 10.7 k/s, one XACK for 100 entries 151 k/s).

export interface Acknowledger {
  /** Resolves when the entry's acknowledgement is stored; rejects when it was refused. */
  add(entry: string): Promise<void>
  /** Resolves when everything that was added is settled. */
  idle(): Promise<void>
}

/** @param send stores acknowledgements; insists while the server is away; rejects only when refused for good. */
export function openAcknowledger(send: (entries: readonly string[]) => Promise<void>): Acknowledger {
  let waiting: string[] = []
  let next: PromiseWithResolvers<void> | undefined
  let running: Promise<void> | undefined

  async function run(): Promise<void> {
    // One turn of the event loop lets the handlers that finish together be acknowledged together.
    await new Promise((resolve) => setImmediate(resolve))
    while (waiting.length > 0) {
      const entries = waiting
      const settled = next!
      waiting = []
      next = undefined
      await send(entries).then(settled.resolve, settled.reject)
    }
    running = undefined
  }

  return {
    add(entry) {
      waiting.push(entry)
      next ??= Promise.withResolvers<void>()
      const stored = next.promise
      running ??= run()
      return stored
    },
    async idle() {
      while (running) await running
    },
  }
}
