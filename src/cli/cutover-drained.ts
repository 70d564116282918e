// Waiting until what was accepted is in a store: a copy that reads from it would miss the rest.
import type { Bus, Stream } from '../bus/index.ts'
import type { Clock } from '../kernel/index.ts'
import type { Terminal } from './terminal.ts'

export interface WaitOptions {
  readonly clock: Clock
  readonly terminal: Terminal
  readonly signal: AbortSignal
}

const LOOK_MS = 250
const NOTE_MS = 2_000

/** Resolves when there is nothing to wait for any more; says now and then what it is. */
export async function waitWhile(
  { clock, terminal, signal }: WaitOptions,
  look: () => Promise<string | undefined> | string | undefined,
): Promise<void> {
  let notedAt = clock.monotonic()
  for (let what = await look(); what !== undefined; what = await look()) {
    if (clock.monotonic() - notedAt > NOTE_MS) {
      notedAt = clock.monotonic()
      terminal.note(`waiting: ${what}`, 'waiting')
    }
    await clock.sleep(LOOK_MS, signal)
    signal.throwIfAborted()
  }
}

/** Resolves when the group has acknowledged everything that was published before the call, or is none. */
export async function untilDrained(
  bus: Bus,
  stream: Stream<unknown>,
  group: string,
  wait: WaitOptions,
): Promise<void> {
  const { partitions: before } = await bus.status(stream)
  const target = new Map(before.map(({ partition, lastSequence }) => [partition, lastSequence]))
  await waitWhile(wait, async () => {
    const { partitions } = await bus.status(stream)
    let behind = 0
    for (const { partition, lastSequence, groups } of partitions) {
      const mine = groups.find((one) => one.group === group)
      if (mine) behind += Math.max(0, target.get(partition)! - (lastSequence - mine.lag))
    }
    return behind === 0 ? undefined : `${group} is ${behind} entries of ${stream.name} behind`
  })
}
