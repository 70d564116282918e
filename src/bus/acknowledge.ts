// Acknowledgements are collected while the one before is under way and sent as one command: batches decide
// throughput (COUNT 1 with awaited XACK 10.7 k/s, one XACK for 100 entries 151 k/s).

export interface Acknowledger {
  /** `stored` is called when the entry's acknowledgement is stored, and not when it was refused. */
  add(entry: string, stored?: () => void): void
  /** Resolves when everything that was added is settled. */
  idle(): Promise<void>
}

export interface AcknowledgerOptions {
  /** Stores acknowledgements; insists while the server is away; rejects only when refused for good. */
  readonly send: (entries: readonly string[]) => Promise<void>
  readonly refused: (error: unknown) => void
}

export function openAcknowledger({ send, refused }: AcknowledgerOptions): Acknowledger {
  let entries: string[] = []
  let callbacks: (() => void)[] = []
  let running: Promise<void> | undefined

  async function run(): Promise<void> {
    // One turn of the event loop lets the handlers that finish together be acknowledged together.
    await new Promise((resolve) => setImmediate(resolve))
    while (entries.length > 0) {
      const [sent, stored] = [entries, callbacks]
      entries = []
      callbacks = []
      try {
        await send(sent)
        for (const tell of stored) tell()
      } catch (error) {
        refused(error)
      }
    }
    running = undefined
  }

  return {
    add(entry, stored) {
      entries.push(entry)
      if (stored) callbacks.push(stored)
      running ??= run()
    },
    async idle() {
      while (running) await running
    },
  }
}
