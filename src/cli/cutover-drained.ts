// Waiting for a group of consumers: what was published before must be in its store when a copy reads from it.
import type { Bus, Stream } from '../bus/index.ts'
import type { Terminal } from './terminal.ts'

export interface DrainedOptions {
  readonly bus: Bus
  readonly terminal: Terminal
  readonly stream: Stream<unknown>
  readonly group: string
  readonly signal: AbortSignal
}

const LOOK_MS = 250
const NOTE_MS = 2_000

/** Resolves when the group has acknowledged everything that was published before the call, or is none. */
export async function untilDrained({ bus, terminal, stream, group, signal }: DrainedOptions): Promise<void> {
  const { partitions: before } = await bus.status(stream)
  const target = new Map(before.map(({ partition, lastSequence }) => [partition, lastSequence]))
  let notedAt = bus.clock.monotonic()
  for (;;) {
    const { partitions } = await bus.status(stream)
    let behind = 0
    for (const { partition, lastSequence, groups } of partitions) {
      const mine = groups.find((one) => one.group === group)
      if (mine) behind += Math.max(0, target.get(partition)! - (lastSequence - mine.lag))
    }
    if (behind === 0) return
    if (bus.clock.monotonic() - notedAt > NOTE_MS) {
      notedAt = bus.clock.monotonic()
      terminal.note(`waiting for ${group}, which is ${behind} entries of ${stream.name} behind`, 'waiting')
    }
    await bus.clock.sleep(LOOK_MS, signal)
    signal.throwIfAborted()
  }
}
