// What a person sees of the level in Redis. Reads only, a little at a time, and takes no part in anything.
import { onNodeOf, type Redis } from '../redis/index.ts'
import { entryKey, META, tagsKey } from './keys.ts'

export interface CacheFacts {
  /** Empty while nobody has used the cache since the server began. */
  readonly epoch: string
  /** Drops told under this epoch. */
  readonly told: number
  readonly tags: number
  readonly views: readonly ViewFacts[]
}

export interface ViewFacts {
  readonly view: string
  readonly answers: number
  /** Of these: none yet, and somebody loads it. */
  readonly loading: number
  /** Of these: none, because loading it failed a moment ago. */
  readonly failed: number
}

export interface EntryFacts {
  /** JSON; undefined while there is none, empty for an answer that is undefined. */
  readonly value: string | undefined
  readonly version: number
  /** Until a new one is due, ms; negative when it is given within its grace. */
  readonly freshMs: number
  /** Until Redis forgets it, ms. */
  readonly leftMs: number
  /** How long nobody else may load it, ms; 0 when nobody does. */
  readonly leaseMs: number
  /** Why the last load failed, JSON. */
  readonly error: string | undefined
}

const SCAN_COUNT = 1_000

export async function inspectCache(client: Redis): Promise<CacheFacts> {
  const node = onNodeOf(client, META)
  const [epoch, told] = await node.hmget(META, 'epoch', 'sequence')
  if (!epoch) return { epoch: '', told: 0, tags: 0, views: [] }
  const prefix = entryKey(epoch, '')
  const tags = tagsKey(epoch)
  const views = new Map<string, { answers: number; loading: number; failed: number }>()
  let cursor = '0'
  do {
    const [next, keys] = await node.scan(cursor, 'MATCH', `${prefix}*`, 'COUNT', SCAN_COUNT)
    cursor = next
    const entries = keys.filter((key) => key !== tags)
    const fields = await Promise.all(entries.map((key) => node.hmget(key, 's', 'l', 'e')))
    for (const [i, key] of entries.entries()) {
      const view = key.slice(prefix.length, key.indexOf(':', prefix.length))
      const facts = views.get(view) ?? { answers: 0, loading: 0, failed: 0 }
      views.set(view, facts)
      const [softEnd, token, error] = fields[i]!
      if (softEnd !== null) facts.answers++
      else if (token !== null) facts.loading++
      else if (error !== null) facts.failed++
    }
  } while (cursor !== '0')
  const rows = [...views].map(([view, facts]) => ({ view, ...facts }))
  return {
    ...{ epoch, told: Number(told ?? 0), tags: await node.hlen(tags) },
    views: rows.sort((a, b) => (a.view < b.view ? -1 : 1)),
  }
}

/** What Redis holds for one answer; undefined when that is nothing. */
export async function inspectEntry(client: Redis, place: string): Promise<EntryFacts | undefined> {
  const node = onNodeOf(client, META)
  const epoch = await node.hget(META, 'epoch')
  if (!epoch) return undefined
  const key = entryKey(epoch, place)
  const [fields, leftMs, [seconds, micros]] = await Promise.all([
    node.hmget(key, 'v', 'n', 's', 'l', 'le', 'e', 'ee'),
    node.pttl(key),
    node.time(),
  ])
  if (fields.every((field) => field === null)) return undefined
  const now = Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000)
  const [value, version, softEnd, token, leaseEnd, error, errorEnd] = fields
  return {
    value: value ?? undefined,
    version: Number(version ?? 0),
    freshMs: value === null ? 0 : Number(softEnd) - now,
    leftMs,
    leaseMs: token === null ? 0 : Math.max(0, Number(leaseEnd) - now),
    error: error !== null && Number(errorEnd) > now ? (error ?? undefined) : undefined,
  }
}
