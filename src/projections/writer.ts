// Writes keys of projections, and counts what it wrote. Versions: who reads tables takes a ticket before it reads, so
// that a later ticket has seen at least as much; what comes from quotes has the quote's time in µs.
import { projectionKeys } from '../catalog/index.ts'
import { isSluiceError, messageOf, randomId, SluiceError } from '../kernel/index.ts'
import { nodesOf, type Redis, runScript, type Script } from '../redis/index.ts'
import { amendScript, appendScript, draftScript, putScript, swapScript, ticketScript } from './scripts.ts'

export type Content =
  | { readonly type: 'none' }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'hash'; readonly fields: readonly (readonly [field: string, value: string])[] }
  | { readonly type: 'list'; readonly items: readonly string[] }
  | { readonly type: 'sorted set'; readonly members: readonly Member[] }

export type Member = readonly [score: number, member: string]

/** One state of a key; one of nothing is no key. */
export interface Put {
  readonly key: string
  /** Of the state; a whole number below 2^53. */
  readonly version: number
  /** ms; `undefined` lives until it is written again. */
  readonly lifetimeMs: number | undefined
  readonly content: Content
}

export interface Amend {
  readonly key: string
  /** `undefined` for members that never change: they may be added in any order. */
  readonly version?: number
  readonly lifetimeMs: number | undefined
  /** The members with the lowest scores go when there are more. */
  readonly cap: number
  /** Scores, both inclusive, whose members are replaced. */
  readonly replaces?: { readonly from: number; readonly to: number }
  readonly members: readonly Member[]
  /** Also where the key is not: `members` is all there is. Default false. */
  readonly begins?: boolean
}

export interface Append {
  readonly key: string
  readonly cap: number
  /** In order; an id that was appended before is not appended again. */
  readonly entries: readonly { readonly id: string; readonly order: number; readonly data: string }[]
}

export interface Written {
  /** Keys that have what was given. */
  written: number
  /** Keys that had something newer. */
  overtaken: number
}

/** What does not fit into Redis is refused with REDIS_FULL, and leaves what was there. */
export interface ProjectionWriter {
  readonly counts: Readonly<Written>
  /** For what is read afterwards. */
  ticket(): Promise<number>
  /** The keys that a glob pattern matches. */
  names(pattern: string): Promise<string[]>
  /** False when something newer is there. Rejects with REDIS_UNFIT when Redis cannot keep so large a key. */
  put(one: Put): Promise<boolean>
  /** `absent` when there is no such key: what is missing in it would not be seen. */
  amend(one: Amend): Promise<'written' | 'overtaken' | 'absent'>
  /** How many were new. */
  append(one: Append): Promise<number>
}

// A writer that was paused for longer may put an older state in, for as long as that lives; the keeper writes every key
// of a bounded life again within a third of it.
const FENCE_MS = 600_000
// 30,000 candles in one script held Redis for 37 ms, 2,000 values for 1 ms: a larger key is built beside and renamed.
const DRAFT_ABOVE = 2_000
// Since its last part: what a writer that dies leaves behind.
const DRAFT_MS = 60_000
// A writer that was paused for longer begins again; a server that evicts each draft has no room for the key.
const ATTEMPTS = 3

const SCAN_COUNT = 1_000

const COMMANDS = { none: 'del', string: 'set', hash: 'hset', list: 'rpush', 'sorted set': 'zadd' } as const

function argumentsOf(content: Content): (string | number)[] {
  if (content.type === 'none') return []
  if (content.type === 'string') return [content.value]
  if (content.type === 'list') return [...content.items]
  return (content.type === 'hash' ? content.fields : content.members).flat()
}

/** @param onPut called for each key that has what was given, or something newer. */
export function openWriter(
  redis: () => Promise<Redis>,
  onPut: (key: string, result: keyof Written) => void = () => {},
): ProjectionWriter {
  const counts: Written = { written: 0, overtaken: 0 }
  const count = (key: string, isWritten: boolean) => {
    const result = isWritten ? 'written' : 'overtaken'
    counts[result]++
    onPut(key, result)
    return isWritten
  }
  return {
    counts,
    async ticket() {
      return Number(await run(await redis(), ticketScript, [projectionKeys.ticket], []))
    },
    async names(pattern) {
      const names = new Set<string>()
      for (const node of nodesOf(await redis())) {
        let cursor = '0'
        do {
          const [next, found] = await node.scan(cursor, 'MATCH', pattern, 'COUNT', SCAN_COUNT)
          cursor = next
          for (const name of found) names.add(name)
        } while (cursor !== '0')
      }
      return [...names]
    },
    async put({ key, version, lifetimeMs = 0, content }) {
      const client = await redis()
      const values = argumentsOf(content)
      const terms = [version, lifetimeMs, FENCE_MS]
      const keys = [key, projectionKeys.version(key)]
      const command = COMMANDS[content.type]
      if (values.length <= DRAFT_ABOVE) {
        return count(key, (await run(client, putScript, keys, [...terms, command, ...values])) === 1)
      }
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const draft = projectionKeys.draft(key, randomId())
        if (!(await writeDraft(client, draft, command, values))) continue
        const answer = await run(client, swapScript, [...keys, draft], terms)
        if (answer !== -1) return count(key, answer === 1)
      }
      const message = `${key} is not written: Redis lost what is built beside it ${ATTEMPTS} times.`
      throw new SluiceError('REDIS_UNFIT', message, { key })
    },
    async amend({ key, version = '', lifetimeMs = 0, cap, replaces, members, begins = false }) {
      const range = replaces ? [replaces.from, replaces.to] : ['', '']
      const terms = [version, lifetimeMs, FENCE_MS, cap, ...range, begins ? 1 : 0]
      const keys = [key, projectionKeys.version(key)]
      const answer = await run(await redis(), amendScript, keys, [...terms, ...members.flat()])
      if (answer === -1) return 'absent'
      return count(key, answer === 1) ? 'written' : 'overtaken'
    },
    async append({ key, cap, entries }) {
      const values = entries.flatMap(({ id, order, data }) => [id, order, data])
      const keys = [key, projectionKeys.appended(key)]
      const added = Number(await run(await redis(), appendScript, keys, [cap, ...values]))
      if (added > 0) count(key, true)
      return added
    },
  }
}

async function run(
  client: Redis,
  script: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  try {
    return await runScript(client, script, keys, args)
  } catch (error) {
    if (!messageOf(error).startsWith('OOM')) throw error
    const message = `${keys[0]} is not written: Redis has reached its memory limit.`
    throw new SluiceError('REDIS_FULL', message, { key: keys[0] }, error)
  }
}

/** False when it ended in between. */
async function writeDraft(
  client: Redis,
  draft: string,
  command: string,
  values: readonly (string | number)[],
): Promise<boolean> {
  try {
    return await writeParts(client, draft, command, values)
  } catch (error) {
    // It would take the room of others for a minute.
    if (isSluiceError(error, 'REDIS_FULL')) await client.del(draft)
    throw error
  }
}

async function writeParts(
  client: Redis,
  draft: string,
  command: string,
  values: readonly (string | number)[],
): Promise<boolean> {
  for (let at = 0; at < values.length; at += DRAFT_ABOVE) {
    const terms = [DRAFT_MS, at === 0 ? 1 : 0, command]
    const part = values.slice(at, at + DRAFT_ABOVE)
    if ((await run(client, draftScript, [draft], [...terms, ...part])) !== 1) return false
  }
  return true
}
