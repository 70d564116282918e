// Compares what Redis holds with its sources, from outside of the protocol: reads only. An answer is wrong when it stands
// unchanged through two comparisons with a pause between them, so that a change on its way is not taken for damage.
import { isDeepStrictEqual } from 'node:util'
import { type Clock, messageOf } from '../kernel/index.ts'
import { onNodeOf, type Redis } from '../redis/index.ts'
import { readEntry } from './inspect.ts'
import { epochPrefix, META, readKey } from './keys.ts'
import { checked, readText, textOf } from './loading.ts'
import { spotOf } from './remote.ts'
import { type AnySource, decodeKey } from './source.ts'
import type { ViewKey } from './view.ts'

export interface WrongAnswer {
  readonly view: string
  readonly key: ViewKey
  /** JSON. */
  readonly cached: string
  readonly source: string
}

export interface VerifyReport {
  readonly answers: number
  readonly equal: number
  /** Dropped or loaded anew between the two looks. */
  readonly changed: number
  /** Of views that nothing drops, of other versions, of no declared view, or dropped by a tag: not compared. */
  readonly passedOver: number
  /** Whose source failed; the first reason says why. */
  readonly unread: number
  readonly reason?: string
  readonly wrong: readonly WrongAnswer[]
}

export interface VerifyOptions {
  readonly client: Redis
  readonly sources: readonly AnySource[]
  readonly clock: Clock
  /** Between the two looks at what differs, ms: above the sweep of the relay. Default 3,000. */
  readonly pauseMs?: number
  readonly onProgress?: (answers: number) => void
}

const SCAN_COUNT = 1_000
const NEVER = new AbortController().signal

/** As `readEntry`. */
type Read = () => Promise<string | undefined>

interface Suspect {
  readonly source: AnySource
  readonly key: ViewKey
  readonly read: Read
  readonly cached: string
  readonly truth: string
}

/** Answers nothing where nobody has used the cache since the server began. */
export async function verifyCache(options: VerifyOptions): Promise<VerifyReport> {
  const { clock, pauseMs = 3_000 } = options
  const count = { answers: 0, equal: 0, changed: 0, passedOver: 0, unread: 0 }
  const wrong: WrongAnswer[] = []
  const suspects: Suspect[] = []
  let reason: string | undefined
  /** Undefined when they are equal, the answer is gone, or its source failed. */
  const look = async (of: Omit<Suspect, 'truth'>): Promise<Suspect | undefined> => {
    const { source, key, read, cached } = of
    try {
      const truth = textOf(checked(source.view, await source.load(key, NEVER)))
      if (isDeepStrictEqual(readText(cached), readText(truth))) count.equal++
      else if ((await read()) !== cached) count.changed++
      else return { ...of, truth }
    } catch (error) {
      count.unread++
      reason ??= messageOf(error)
    }
    return undefined
  }
  for await (const { source, key, read } of entriesOf(options)) {
    count.answers++
    const cached = source?.view.onlyAges ? undefined : await read?.()
    if (!source || !key || !read || cached === undefined) count.passedOver++
    else {
      const suspect = await look({ source, key, read, cached })
      if (suspect) suspects.push(suspect)
    }
    options.onProgress?.(count.answers)
  }
  if (suspects.length > 0) await clock.sleep(pauseMs)
  for (const suspect of suspects) {
    const { source, key, read, cached } = suspect
    const isThere = (await read()) === cached
    const again = isThere ? await look(suspect) : undefined
    if (again) wrong.push({ view: source.view.name, key, cached, source: again.truth })
    if (!isThere) count.changed++
  }
  return { ...count, ...(reason !== undefined && { reason }), wrong }
}

/** Every answer of the present epoch, with where it comes from. */
async function* entriesOf({ client, sources }: VerifyOptions) {
  const node = onNodeOf(client, META)
  const epoch = await node.hget(META, 'epoch')
  if (!epoch) return
  const byName = new Map(sources.map((source) => [source.view.name, source]))
  const seen = new Set<string>()
  let cursor = '0'
  do {
    const [next, keys] = await node.scan(cursor, 'MATCH', `${epochPrefix(epoch)}*`, 'COUNT', SCAN_COUNT)
    cursor = next
    for (const entry of keys) {
      const answer = readKey(epoch, entry)
      // A scan may give a key twice.
      if (!answer || answer.isLoad || seen.has(entry)) continue
      seen.add(entry)
      const at = answer.place.indexOf(':')
      const named = byName.get(answer.place.slice(0, at))
      const source = named && (named.view.version ?? 1) === answer.version ? named : undefined
      const key = source && decodeKey(source, answer.place.slice(at + 1))
      yield { source, key, read: source && key && (() => readEntry(node, epoch, spotOf(source.view, key))) }
    }
  } while (cursor !== '0')
}
