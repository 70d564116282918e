// The level in Redis. A hit is a plain MGET of keys that name the epoch; everything that changes something is a
// script that compares it.
import { type Clock, randomId } from '../kernel/index.ts'
import { gatherWrites } from '../redis/index.ts'
import { type Drop, encodeDrops } from './drops.ts'
import { type Keeping, keepAll, runIn, type Spot, type Taking, takeAll } from './entries.ts'
import type { Epoch, Epochs } from './epochs.ts'
import { gatherCalls } from './gather.ts'
import { answerKey, DROPS, loadKey, META, readAnswer, tagsKey } from './keys.ts'
import { DROP, FAIL, RESET } from './scripts.ts'
import { placeOf, type View, type ViewKey } from './view.ts'

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
      /** With which it was asked for: an answer that ends within this is not fresh. */
      readonly eagerMs: number
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

// Calls of one turn go together, up to 16 answers or as many kB: one by one a miss takes this process 66 µs and Redis 53,
// together 39 and 31. All of 100 callers in one call would be no less, and keep either side waiting for the other
// (61 µs a miss instead of 47).
const ENTRY_SIZE = 1_000
const CALL_SIZE = 16_000

export function openRemote({ epochs, clock, leaseMs }: RemoteOptions): Remote {
  const read = openReading(epochs, clock)
  const take = openTaking(epochs, clock)
  const keep = openKeeping(epochs, clock)

  return {
    read,
    lease: (spot, eagerMs, token = randomId()) => take({ spot, token, leaseMs, eagerMs }),
    fill: (spot, { token, epoch }, text, softMs, hardMs) =>
      keep({ epoch, spot, token, text, softMs, hardMs }),
    fail: ({ place, version }, { token, epoch }, error, throttleMs) =>
      epochs.within(async (at) => {
        await runIn(at, FAIL, [META, loadKey(epoch, place, version)], [epoch, token, error, throttleMs])
      }),
    drop: (drops) =>
      epochs.within(async (at) => {
        const { epoch, shapes } = at
        const versions = shapes.split(',').slice(0, -1)
        const keysOf = (place: string) =>
          versions.flatMap((version) => [answerKey(epoch, place, version), loadKey(epoch, place, version)])
        const keys = drops.flatMap((drop) => ('place' in drop ? keysOf(drop.place) : []))
        const tags = drops.flatMap((drop) => ('tag' in drop ? [drop.tag] : []))
        const args = [epoch, shapes, DROPS, encodeDrops(drops), ...tags]
        const reply = await runIn(at, DROP, [META, tagsKey(epoch), ...keys], args)
        return reply === 'epoch' ? reply : undefined
      }),
    reset: () =>
      epochs.within(async (at) => {
        await runIn(at, RESET, [META], [randomId(), DROPS])
        epochs.forget()
      }),
  }
}

// A command may take 50 ms, in which tens of MB arrive; nobody knows how large an answer is before it is there, but how
// large those of its view were.
const READ_SIZE = 4_000
const READ_MAX = 256_000

function openReading(epochs: Epochs, clock: Clock) {
  const largest = new Map<string, number>()
  const room = {
    groupOf: () => '',
    sizeOf: ({ place }: Spot) => largest.get(viewOf(place)) ?? READ_SIZE,
    max: READ_MAX,
  }
  return gatherCalls<Spot, Held | undefined>(room, (spots) =>
    epochs.within(async (at) => {
      const found = await readAll(at, spots)
      return found.map((answer, i) => {
        if (!answer) return undefined
        const { text, softEnd } = answer
        const view = viewOf(spots[i]!.place)
        if (text.length > (largest.get(view) ?? READ_SIZE)) largest.set(view, text.length)
        return { text, freshMs: freshMsOf(softEnd, at, clock) }
      })
    }),
  )
}

const viewOf = (place: string) => place.slice(0, place.indexOf(':'))

/** Of each: undefined where there is none, something else has been put there, or one of its tags was dropped since. */
async function readAll({ client, epoch, node }: Epoch, spots: readonly Spot[]) {
  const names = [...new Set(spots.flatMap(({ tags }) => tags))]
  gatherWrites(node)
  // In this order: tags that were true after an answer was read were true when it was.
  const [stored, versions] = await Promise.all([
    client.mget(spots.map(({ place, version }) => answerKey(epoch, place, version))),
    names.length === 0 ? [] : client.hmget(tagsKey(epoch), ...names),
  ])
  const versionOf = new Map(names.map((name, i) => [name, versions[i] ?? null]))
  return stored.map((text, i) => {
    const answer = text === null ? undefined : readAnswer(text)
    const present = tagsText(spots[i]!.tags.map((tag) => versionOf.get(tag) ?? null))
    return answer?.tags === present ? answer : undefined
  })
}

function openTaking(epochs: Epochs, clock: Clock) {
  const room = { groupOf: ({ spot }: Taking) => `${spot.version}`, sizeOf: () => ENTRY_SIZE, max: CALL_SIZE }
  return gatherCalls<Taking, Leased>(room, (takings) =>
    epochs.within(async (at) => {
      const asked = clock.monotonic()
      const taken = await takeAll(at, takings, { isOldWanted: true })
      if (taken === 'epoch') return taken
      return taken.map(([kind, more, text], i): Leased => {
        const old = text ?? undefined
        if (kind === 'fresh') return { kind, held: { text: old ?? '', freshMs: freshMsOf(more, at, clock) } }
        if (kind === 'wait') return { kind, ms: Number(more), old }
        if (kind === 'failed') return { kind, error: String(more), old }
        const { token, eagerMs } = takings[i]!
        return { kind, token, epoch: at.epoch, asked, eagerMs, old }
      })
    }),
  )
}

type KeepingIn = Keeping & { readonly epoch: string }

function openKeeping(epochs: Epochs, clock: Clock) {
  const room = {
    groupOf: ({ spot, epoch }: KeepingIn) => `${spot.version} ${epoch}`,
    sizeOf: ({ text }: KeepingIn) => ENTRY_SIZE + text.length,
    max: CALL_SIZE,
  }
  return gatherCalls<KeepingIn, number | undefined>(room, (keepings) =>
    epochs.within(async (at) => {
      const ends = await keepAll(at, keepings[0]!.epoch, keepings)
      return ends.map((end) => (end === null ? undefined : freshMsOf(end, at, clock)))
    }),
  )
}

const freshMsOf = (softEnd: unknown, { ahead }: Epoch, clock: Clock) =>
  Number(softEnd) - ahead - clock.monotonic()

/** As the scripts keep them; a tag without a version is equal to none. */
export const tagsText = (versions: readonly (string | null)[]): string =>
  versions.map((one) => `${one},`).join('')
