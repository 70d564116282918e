// Many answers of one view in one call: leases that are given to whoever fills what nobody has asked for yet.
import { randomId } from '../kernel/index.ts'
import type { Epochs } from './epochs.ts'
import { META } from './keys.ts'
import { keysOf, runIn, type Spot, type Token } from './remote.ts'
import { FILL_MANY, LEASE_MANY, WARMED } from './scripts.ts'

export interface Filling {
  readonly spot: Spot
  readonly text: string
  readonly softMs: number
  readonly hardMs: number
}

/** Every call rejects with REDIS_UNAVAILABLE when the server does not answer. All spots are of one view. */
export interface Batches {
  /** Which of them nobody has and nobody loads; those are leased under the one token. */
  lease(spots: readonly Spot[]): Promise<Token & { readonly isMine: readonly boolean[] }>
  /** Which of them were stored; the others were dropped meanwhile. */
  fill(token: Token, fillings: readonly Filling[]): Promise<readonly boolean[]>
  /** Gives leases back that will not be filled. */
  release(token: Token, spots: readonly Spot[]): Promise<void>
  /** Whether `noteWarmed` was called in the present epoch, and which that is. */
  standing(): Promise<{ readonly epoch: string; readonly isWarmed: boolean }>
  noteWarmed(epoch: string): Promise<void>
}

export function openBatches(epochs: Epochs, leaseMs: number): Batches {
  const leaseArgs = (token: Token, spots: readonly Spot[], ms: number) => [
    ...[token.epoch, spots[0]!.version, token.token, ms],
    ...spots.flatMap(({ tags }) => [tags.length, ...tags]),
  ]
  return {
    lease: (spots) =>
      epochs.within(async (at) => {
        const token = { token: randomId(), epoch: at.epoch }
        const reply = await runIn(
          at,
          LEASE_MANY,
          keysOf(at.epoch, spots),
          leaseArgs(token, spots, leaseMs),
        ).catch((error: unknown) => {
          // They may have been given all the same.
          runIn(at, LEASE_MANY, keysOf(at.epoch, spots), leaseArgs(token, spots, 0)).catch(() => {})
          throw error
        })
        return reply === 'epoch' ? reply : { ...token, isMine: digitsOf(reply[1]) }
      }),
    fill: (token, fillings) =>
      epochs.within(async (at) => {
        const args = [token.epoch, fillings[0]!.spot.version, token.token]
        for (const { spot, text, softMs, hardMs } of fillings) {
          args.push(softMs, hardMs, text, spot.tags.length, ...spot.tags)
        }
        const spots = fillings.map(({ spot }) => spot)
        const reply = await runIn(at, FILL_MANY, keysOf(token.epoch, spots), args)
        return reply === 'epoch' ? fillings.map(() => false) : digitsOf(reply[1])
      }),
    release: (token, spots) =>
      epochs.within(async (at) => {
        await runIn(at, LEASE_MANY, keysOf(token.epoch, spots), leaseArgs(token, spots, 0))
      }),
    standing: () =>
      epochs.within(async ({ client, epoch }) => {
        // Who only warms does not hear of another epoch.
        const [present, warmed] = await client.hmget(META, 'epoch', 'warmed')
        return present === epoch ? { epoch, isWarmed: warmed === epoch } : 'epoch'
      }),
    noteWarmed: (epoch) =>
      epochs.within(async (at) => {
        await runIn(at, WARMED, [META], [epoch])
      }),
  }
}

const digitsOf = (text: unknown): boolean[] => Array.from(String(text), (digit) => digit === '1')
