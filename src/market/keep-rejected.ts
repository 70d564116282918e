// Keeps what was not used in `input.rejected`, so that its sender can be told why. Keeping never holds up good
// input: when there is no room, or Redis is away, a rejection is counted and that is all.
import { type Bus, type Outgoing, outgoing } from '../bus/index.ts'
import { rejectedInput } from '../catalog/index.ts'
import { deriveId, messageOf, type Task } from '../kernel/index.ts'
import type { MarketEmitter } from './market-events.ts'
import { rejectionOf } from './normalise.ts'
import type { Rejection } from './reasons.ts'

// Each holds up to 2,000 characters and its details: 10 MB at most.
const WAITING_MAX = 1_000
const BATCH_MAX = 100

export interface Keeper {
  /** `from` is the channel. */
  keep(from: string, text: string, rejections: readonly Rejection[]): void
  readonly task: Task
}

export function openKeeper(bus: Pick<Bus, 'publish'>, events: MarketEmitter): Keeper {
  const waiting: Outgoing[] = []
  let wake: () => void = () => undefined

  async function flush(): Promise<void> {
    const batch = waiting.splice(0, BATCH_MAX)
    try {
      await bus.publish(batch)
    } catch (error) {
      events.emit('unkept', { reason: messageOf(error), count: batch.length })
    }
  }

  return {
    keep(from, text, rejections) {
      if (waiting.length >= WAITING_MAX) {
        events.emit('unkept', { reason: 'too many wait', count: 1 })
        return
      }
      waiting.push(eventOf(from, text, rejections))
      wake()
    },
    async task(signal) {
      const onAbort = () => wake()
      signal.addEventListener('abort', onAbort)
      try {
        while (!signal.aborted || waiting.length > 0) {
          if (waiting.length > 0) await flush()
          else {
            await new Promise<void>((resolve) => {
              wake = resolve
              if (signal.aborted || waiting.length > 0) resolve()
            })
          }
        }
      } finally {
        signal.removeEventListener('abort', onAbort)
      }
    },
  }
}

/** Two bridges that reject the same message keep it once. */
function eventOf(from: string, text: string, rejections: readonly Rejection[]): Outgoing {
  const data = rejectionOf(from, text, rejections)
  return outgoing(rejectedInput, deriveId('rejected', data.channel, data.reason, data.sha256), data)
}
