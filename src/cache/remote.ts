// The level in Redis. A hit is one plain HMGET of a key that names the epoch; everything that changes something is a
// script that compares it.
import { type Clock, randomId } from '../kernel/index.ts'
import { gatherWrites, runScript, type Script } from '../redis/index.ts'
import { type Drop, encodeDrops } from './drops.ts'
import type { Epoch, Epochs } from './epochs.ts'
import { DROPS, entryKey, META, tagsKey } from './keys.ts'
import { DROP, FAIL, FILL, LEASE, RESET } from './scripts.ts'
import { placeOf, type View, type ViewKey } from './view.ts'

/** One answer of one view. */
export interface Spot {
  readonly place: string
  readonly version: number
  readonly tags: readonly string[]
}

export const spotOf = <K extends ViewKey>(view: View<K, unknown>, key: K): Spot => ({
  place: placeOf(view, key),
  version: view.version ?? 1,
  tags: view.tags?.(key) ?? [],
})

export interface Held {
  /** JSON; empty stands for undefined. */
  readonly text: string
  /** How long it is fresh still, ms; not above 0 when a new one is due. */
  readonly freshMs: number
}

export type Leased =
  | { readonly kind: 'fresh'; readonly held: Held }
  | {
      readonly kind: 'lease'
      readonly token: string
      readonly epoch: string
      /** Monotonic, from before it was asked for: until `leaseMs` after it the lease is certain. */
      readonly asked: number
      readonly old: string | undefined
    }
  | { readonly kind: 'wait'; readonly ms: number; readonly old: string | undefined }
  | { readonly kind: 'failed'; readonly error: string; readonly old: string | undefined }

/** Every call rejects with REDIS_UNAVAILABLE, within the 50 ms of a command, when the server does not answer. */
export interface Remote {
  /** What is there, fresh or not; undefined without one of this version whose tags are true. */
  read(spot: Spot): Promise<Held | undefined>
  /** @param token of a lease that is to be prolonged. */
  lease(spot: Spot, eagerMs: number, token?: string): Promise<Leased>
  /** How long it is fresh, ms; undefined when it was refused because it was dropped, or the lease had ended. */
  fill(spot: Spot, lease: Token, text: string, softMs: number, hardMs: number): Promise<number | undefined>
  fail(spot: Spot, lease: Token, error: string, throttleMs: number): Promise<void>
  drop(drops: readonly Drop[]): Promise<void>
  /** Forgets every answer. */
  reset(): Promise<void>
}

export interface Token {
  readonly token: string
  readonly epoch: string
}

export interface RemoteOptions {
  readonly epochs: Epochs
  readonly clock: Clock
  /** How long a load may take before another caller loads as well, ms. */
  readonly leaseMs: number
}

export function openRemote({ epochs, clock, leaseMs }: RemoteOptions): Remote {
  const freshMsOf = (softEnd: unknown, { ahead }: Epoch) => Number(softEnd) - ahead - clock.monotonic()

  return {
    read: (spot) =>
      epochs.within(async (at) => {
        const key = entryKey(at.epoch, spot.place)
        gatherWrites(at.node)
        // In this order: tags that were true after the entry was read were true when it was.
        const [entry, versions] = await Promise.all([
          at.client.hmget(key, ...answerFields(spot.version)),
          spot.tags.length === 0 ? [] : at.client.hmget(tagsKey(at.epoch), ...spot.tags),
        ])
        const [text, softEnd, tags] = entry as [string | null, string, string]
        if (text === null) return undefined
        if (tags !== tagsText(versions)) return undefined
        return { text, freshMs: freshMsOf(softEnd, at) }
      }),
    lease: (spot, eagerMs, token = randomId()) =>
      epochs.within(async (at): Promise<Leased | 'epoch'> => {
        const keys = keysOf(at.epoch, [spot])
        const args = [at.epoch, spot.version, token, leaseMs, eagerMs, ...spot.tags]
        const asked = clock.monotonic()
        const reply = await runIn(at, LEASE, keys, args).catch((error: unknown) => {
          // It may have been given all the same, and everybody would wait for a load that nobody does (2.9 s measured
          // after a server that stood still for 90 ms). What is sent behind it on the same connection comes after it.
          args[3] = 0
          runIn(at, LEASE, keys, args).catch(() => {})
          throw error
        })
        if (reply === 'epoch') return reply
        const [kind, more, text] = reply as [string, string | number | null, string | null]
        const old = text ?? undefined
        if (kind === 'fresh') return { kind, held: { text: old ?? '', freshMs: freshMsOf(more, at) } }
        if (kind === 'wait') return { kind, ms: Number(more), old }
        if (kind === 'failed') return { kind, error: String(more), old }
        return { kind: 'lease', token, epoch: at.epoch, asked, old }
      }),
    fill: (spot, { token, epoch }, text, softMs, hardMs) =>
      epochs.within(async (at) => {
        const args = [epoch, spot.version, token, softMs, hardMs, text, ...spot.tags]
        const reply = await runIn(at, FILL, keysOf(epoch, [spot]), args)
        return reply === 'epoch' || reply[0] !== 'stored' ? undefined : freshMsOf(reply[1], at)
      }),
    fail: (spot, { token, epoch }, error, throttleMs) =>
      epochs.within(async (at) => {
        await runIn(
          at,
          FAIL,
          [META, entryKey(epoch, spot.place)],
          [epoch, spot.version, token, error, throttleMs],
        )
      }),
    drop: (drops) =>
      epochs.within(async (at) => {
        const entries = drops.flatMap((drop) => ('place' in drop ? [entryKey(at.epoch, drop.place)] : []))
        const tags = drops.flatMap((drop) => ('tag' in drop ? [drop.tag] : []))
        const args = [at.epoch, DROPS, encodeDrops(drops), ...tags]
        const reply = await runIn(at, DROP, [META, tagsKey(at.epoch), ...entries], args)
        return reply === 'epoch' ? reply : undefined
      }),
    reset: () =>
      epochs.within(async (at) => {
        await runIn(at, RESET, [META], [randomId(), DROPS])
        epochs.forget()
      }),
  }
}

/** As the scripts keep them; a tag without a version is equal to none. */
export const tagsText = (versions: readonly (string | null)[]): string =>
  versions.map((one) => `${one},`).join('')

const answerFields = (version: number) => [`v${version}`, `s${version}`, `t${version}`] as const

export const keysOf = (epoch: string, spots: readonly Spot[]): string[] => [
  META,
  tagsKey(epoch),
  ...spots.map(({ place }) => entryKey(epoch, place)),
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
