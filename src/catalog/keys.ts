// Every Redis key and channel of the platform: what it is, how long it lives, where its truth is, who writes it and what
// removes it. docs/CATALOG.md is made from this, and a test compares it with what a running system has in Redis.

import { PROJECTIONS, type Projection, projectionKeys } from './projections.ts'

export interface KeyEntry {
  /** A part in <angle brackets> stands for any text. */
  readonly key: string
  readonly type: 'string' | 'hash' | 'set' | 'sorted set' | 'list' | 'stream' | 'channel' | 'any'
  readonly life: string
  /** Where what it says comes from; it can be rebuilt unless it is the truth itself. */
  readonly truth: string
  readonly writers: string
  readonly removedBy: string
}

const partition = '{<stream>:<partition>}'

export const REDIS_KEYS: readonly KeyEntry[] = [
  {
    ...{ key: partition, type: 'stream', life: '`retentionMs` after the last group' },
    ...{ truth: 'itself', writers: 'publishers', removedBy: 'trimming' },
  },
  {
    ...{ key: `${partition}:meta`, type: 'hash', life: 'for ever' },
    ...{ truth: 'itself: sequence, epochs', writers: 'publishers, owners', removedBy: 'nobody' },
  },
  {
    ...{ key: `${partition}:ids:<turn>`, type: 'set', life: '`dedupeMs` to twice that' },
    ...{ truth: 'itself: event ids', writers: 'publishers', removedBy: 'publishers, in turns' },
  },
  {
    ...{ key: `${partition}:lease:<group>`, type: 'hash', life: 'for ever; `until` says how long it holds' },
    ...{ truth: 'itself', writers: 'owners', removedBy: '`sluice groups remove`' },
  },
  {
    ...{ key: `${partition}:gate:<group>:<epoch>`, type: 'stream', life: 'while the epoch is the newest' },
    ...{ truth: 'the lease', writers: 'owners', removedBy: 'the next owner' },
  },
  {
    ...{ key: `${partition}:checkpoint:<group>`, type: 'hash', life: 'for ever' },
    ...{ truth: 'the stream', writers: 'folds', removedBy: '`sluice groups replay`, `remove`' },
  },
  {
    ...{ key: `${partition}:barrier`, type: 'string', life: '1 ms' },
    ...{ truth: 'none', writers: 'publishers of durable streams', removedBy: 'its end' },
  },
  {
    ...{ key: `${partition}:dead`, type: 'stream', life: 'for ever' },
    ...{ truth: 'itself', writers: 'consumers', removedBy: '`sluice dlq replay`, `drop`' },
  },
  {
    ...{ key: '<key>:misplaced:<ms>', type: 'any', life: 'for ever' },
    ...{ truth: 'another program', writers: 'whoever found it in the way', removedBy: 'a person' },
  },
  {
    ...{ key: 'groups:<stream>', type: 'set', life: 'for ever' },
    ...{ truth: 'itself', writers: 'consumers', removedBy: '`sluice groups remove`' },
  },
  {
    ...{ key: 'groups:paused:<stream>', type: 'hash', life: 'until resumed' },
    ...{ truth: 'itself', writers: '`sluice groups pause`', removedBy: '`sluice groups resume`' },
  },
  {
    ...{ key: 'members:<stream>:<group>', type: 'sorted set', life: '`LEASE_MS` a member' },
    ...{ truth: 'the living consumers', writers: 'consumers', removedBy: 'consumers' },
  },
  {
    ...{ key: 'moved:<stream>:<group>', type: 'channel', life: '–' },
    ...{ truth: 'members and leases', writers: 'consumers', removedBy: '–' },
  },
  {
    ...{ key: 'lock:{<resource>}', type: 'string', life: 'the lock’s' },
    ...{
      truth: 'itself; the fencing token is in SQL',
      writers: 'holders',
      removedBy: 'the holder, or its end',
    },
  },
  {
    ...{ key: 'lock:{<resource>}:queue', type: 'sorted set', life: 'until nobody waits' },
    ...{ truth: 'the waiters', writers: 'waiters', removedBy: 'whose turn it is' },
  },
  {
    ...{ key: 'lock:{<resource>}:turn', type: 'string', life: 'a moment' },
    ...{ truth: 'the queue', writers: 'who lets go', removedBy: 'its end' },
  },
  {
    ...{ key: 'lock:turns:<process>', type: 'channel', life: '–' },
    ...{ truth: 'the queues', writers: 'who lets go', removedBy: '–' },
  },
  {
    ...{ key: '{jobs}:<rest>', type: 'any', life: 'as BullMQ keeps it' },
    ...{ truth: 'itself', writers: 'BullMQ', removedBy: 'BullMQ' },
  },
  {
    ...{ key: '{workers}:list', type: 'set', life: 'for ever' },
    ...{ truth: 'the reports', writers: 'every worker', removedBy: 'the gateway' },
  },
  {
    ...{ key: '{workers}:report:<process>', type: 'string', life: '8 s' },
    ...{ truth: 'the process', writers: 'every worker', removedBy: 'its end' },
  },
  {
    ...{ key: 'cutover:changes', type: 'channel', life: '–' },
    ...{ truth: 'the phases in SQL', writers: '`sluice cutover`', removedBy: '–' },
  },
  {
    ...{ key: '{cache}:meta', type: 'hash', life: 'for ever' },
    ...{ truth: 'itself', writers: 'every cache', removedBy: 'nobody' },
  },
  {
    ...{ key: '{cache}:<epoch>:tags', type: 'hash', life: 'a day' },
    ...{ truth: 'itself', writers: 'every cache', removedBy: 'its end' },
  },
  {
    ...{
      key: '{cache}:<epoch>:<view>:<key>@<version>',
      type: 'string',
      life: 'the view’s lifetime and grace',
    },
    ...{ truth: 'SQL, by the view’s loader', writers: 'who loads it', removedBy: 'drops, its end' },
  },
  {
    ...{ key: '{cache}:<epoch>:<view>:<key>@<version>:load', type: 'string', life: '3 s' },
    ...{ truth: 'itself', writers: 'who loads an answer', removedBy: 'the end of the load, drops, its end' },
  },
  {
    ...{ key: '{cache}:drops', type: 'channel', life: '–' },
    ...{ truth: 'the outbox', writers: 'the relay', removedBy: '–' },
  },
  ...PROJECTIONS.map(
    ({ pattern, type, lifetimeMs, cap, truth, changedBy }): KeyEntry => ({
      ...{ key: pattern, type, life: lifeOf(lifetimeMs, cap), truth },
      ...{ writers: `the keeper, at ${changedBy}; a rebuild`, removedBy: 'its end, the keeper' },
    }),
  ),
  {
    ...{ key: projectionKeys.version('<key>'), type: 'string', life: '600 s' },
    ...{ truth: 'what was written', writers: 'writers of projections', removedBy: 'its end' },
  },
  {
    ...{ key: projectionKeys.draft('<key>', '<writer>'), type: 'any', life: '60 s' },
    ...{ truth: 'none', writers: 'writers of projections', removedBy: 'its renaming, its end' },
  },
  {
    ...{ key: projectionKeys.appended('<key>'), type: 'sorted set', life: 'for ever' },
    ...{ truth: 'the stream', writers: 'writers of projections', removedBy: 'nobody' },
  },
  {
    ...{ key: projectionKeys.ticket, type: 'string', life: 'for ever' },
    ...{ truth: 'itself', writers: 'writers of projections', removedBy: 'nobody' },
  },
  {
    ...{ key: projectionKeys.kept, type: 'string', life: 'for ever' },
    ...{ truth: 'none', writers: 'the keeper', removedBy: 'who empties Redis' },
  },
]

function lifeOf(lifetimeMs: Projection['lifetimeMs'], cap: number | undefined): string {
  const most = cap === undefined ? '' : `, the newest ${cap.toLocaleString('en')}`
  if (lifetimeMs === undefined) return `for ever${most}`
  if (lifetimeMs === 'by interval') return 'by interval and market hours'
  if (lifetimeMs === 'of the record') return 'until what it says ends'
  return `${lifetimeMs / 1_000} s${most}`
}

/** The entry of a key that exists; undefined for one that nobody has declared. */
export function entryOf(key: string): KeyEntry | undefined {
  return REDIS_KEYS.find((entry) => entry.type !== 'channel' && patternOf(entry.key).test(key))
}

// Names of processes, resources and keys of views hold colons, the others do not.
const WIDE = new Set(['<resource>', '<key>', '<rest>', '<process>'])

function patternOf(key: string): RegExp {
  const parts = key.split(/(<\w+>)/).map((part, i) => {
    if (i % 2 === 1) return WIDE.has(part) ? '.*' : '[^{}:]+'
    return part.replaceAll(/[{}[\]().*+?^$|\\]/g, '\\$&')
  })
  return new RegExp(`^${parts.join('')}$`)
}
