// Taking leases and filling them, many in one call of a script: what a few callers ask for in one turn of the loop, or a
// batch of a warming. All of one call are of one version of a shape.

import { runScript, type Script } from '../redis/index.ts'
import type { Epoch } from './epochs.ts'
import { answerKey, loadKey, META, tagsKey } from './keys.ts'
import { FILL, LEASE } from './scripts.ts'

/** One answer of one view. */
export interface Spot {
  readonly place: string
  readonly version: number
  readonly tags: readonly string[]
}

export interface Taking {
  readonly spot: Spot
  readonly token: string
  /** 0 gives it up. */
  readonly leaseMs: number
  /** An answer that ends within this is not fresh. */
  readonly eagerMs: number
}

/** With an answer that may still be given: the fresh one, or an old one. */
export type Taken = readonly [kind: 'fresh' | 'lease' | 'wait' | 'failed', more: unknown, old: string | null]

// Values of one call together: 16 of 1 MB took longer than the 50 ms that a command may take. One always comes.
const OLD_BYTES = 256_000

/** Once they are sent, a failure gives them up: they may have been given all the same. */
export async function takeAll(
  at: Epoch,
  takings: readonly Taking[],
  { isOldWanted }: { readonly isOldWanted: boolean },
): Promise<'epoch' | readonly Taken[]> {
  const keys = keysOf(at.epoch, takings)
  const argsOf = (some: readonly Taking[], oldBytes: number) => [
    ...[at.epoch, some[0]!.spot.version, oldBytes],
    ...some.flatMap(({ spot: { tags }, token, leaseMs, eagerMs }) => [
      ...[token, leaseMs, eagerMs, tags.length],
      ...tags,
    ]),
  ]
  const reply = await runIn(at, LEASE, keys, argsOf(takings, isOldWanted ? OLD_BYTES : 0)).catch(
    (error: unknown) => {
      // Everybody would wait for a load that nobody does (2.9 s measured after a server that stood still for 90 ms). What
      // is sent behind it on the same connection comes after it.
      const given = takings.map((one) => ({ ...one, leaseMs: 0 }))
      runIn(at, LEASE, keys, argsOf(given, 0)).catch(() => {})
      throw error
    },
  )
  return reply === 'epoch'
    ? reply
    : takings.map((_, i) => reply.slice(1 + 3 * i, 4 + 3 * i) as unknown as Taken)
}

export interface Keeping {
  readonly spot: Spot
  readonly token: string
  readonly text: string
  readonly softMs: number
  readonly hardMs: number
}

/** The soft end of each by the server's clock, ms; null for one that was dropped, or whose lease had ended. */
export async function keepAll(
  at: Epoch,
  epoch: string,
  keepings: readonly Keeping[],
): Promise<readonly (number | null)[]> {
  const args: (string | number)[] = [epoch]
  for (const { spot, token, text, softMs, hardMs } of keepings) {
    args.push(token, softMs, hardMs, text, spot.tags.length, ...spot.tags)
  }
  const reply = await runIn(at, FILL, keysOf(epoch, keepings), args)
  return reply === 'epoch' ? keepings.map(() => null) : (reply.slice(1) as (number | null)[])
}

const keysOf = (epoch: string, entries: readonly { readonly spot: Spot }[]): string[] => [
  META,
  tagsKey(epoch),
  ...entries.flatMap(({ spot: { place, version } }) => [
    answerKey(epoch, place, version),
    loadKey(epoch, place, version),
  ]),
]

/** 'epoch' when the script was told of another one than the present. */
export async function runIn(
  { client }: Epoch,
  script: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<'epoch' | [kind: string, ...unknown[]]> {
  const reply = (await runScript(client, script, keys, args)) as [string, ...unknown[]]
  return reply[0] === 'epoch' ? 'epoch' : reply
}
