// Many answers of one view in one call: leases that are given to whoever fills what nobody has asked for yet.
import { randomId } from '../kernel/index.ts'
import { type Keeping, keepAll, runIn, type Spot, takeAll } from './entries.ts'
import type { Epochs } from './epochs.ts'
import { META } from './keys.ts'
import type { Token } from './remote.ts'
import { WARMED } from './scripts.ts'

export type Filling = Omit<Keeping, 'token'>

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
  const takingsOf = (spots: readonly Spot[], token: string, ms: number) =>
    spots.map((spot) => ({ spot, token, leaseMs: ms, eagerMs: 0 }))
  return {
    lease: (spots) =>
      epochs.within(async (at) => {
        const token = randomId()
        const taken = await takeAll(at, takingsOf(spots, token, leaseMs), { isOldWanted: false })
        if (taken === 'epoch') return taken
        return { token, epoch: at.epoch, isMine: taken.map(([kind]) => kind === 'lease') }
      }),
    fill: ({ token, epoch }, fillings) =>
      epochs.within(async (at) => {
        const keepings = fillings.map((filling) => ({ ...filling, token }))
        return (await keepAll(at, epoch, keepings)).map((end) => end !== null)
      }),
    release: ({ token, epoch }, spots) =>
      epochs.within(async (at) => {
        // Those of another epoch are gone with it.
        if (at.epoch !== epoch) return
        await takeAll(at, takingsOf(spots, token, 0), { isOldWanted: false })
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
