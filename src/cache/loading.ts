// Calls loaders: bounded, checked, counted. Under a lease, what comes of it is told to everybody.
import { type Clock, isSluiceError, messageOf, SluiceError } from '../kernel/index.ts'
import type { Bulkhead } from './bulkhead.ts'
import type { Counts } from './counts.ts'
import type { Spot } from './entries.ts'
import { isAway } from './epochs.ts'
import type { CacheEmitter } from './events.ts'
import type { Held, Leased, Remote } from './remote.ts'
import { termsOf, type View, type ViewKey } from './view.ts'

export interface LoadingOptions {
  readonly remote: Remote
  readonly bulkhead: Bulkhead
  readonly clock: Clock
  readonly events: CacheEmitter
  readonly counts: Counts
  /** How long nobody tries again after a load has failed, ms. */
  readonly throttleMs: number
  /** How long a lease holds, ms. */
  readonly leaseMs: number
}

/** What is asked. */
export interface Question<K extends ViewKey, V> {
  readonly view: View<K, V>
  readonly key: K
  readonly load: (signal: AbortSignal) => Promise<V>
}

export type Lease = Leased & { kind: 'lease' }

/** Nothing was loaded: by the time there was room the lease was over, and somebody else has it or has filled it. */
export const LOST = Symbol('the lease was lost')

// A load that waited longer than this part of its lease for room has it prolonged before it begins: what is left then
// covers a whole load (2.5 of 3 s), so that no two processes load the same.
const WAITED_PART = 1 / 6

export type Loading = ReturnType<typeof openLoading>

export function openLoading(options: LoadingOptions) {
  const { remote, bulkhead, clock, events, counts, throttleMs, leaseMs } = options

  async function load<K extends ViewKey, V>(
    { view, load }: Question<K, V>,
    mayBegin: () => Promise<boolean> = async () => true,
  ): Promise<V | typeof LOST> {
    try {
      return await bulkhead.run(async (signal) => {
        if (!(await mayBegin())) return LOST
        const began = clock.monotonic()
        counts.loads++
        const value = checked(view, await load(signal))
        events.emit('loaded', { view: view.name, tookMs: clock.monotonic() - began })
        return value
      })
    } catch (error) {
      if (!isAway(error)) events.emit('failed', { view: view.name, reason: messageOf(error) })
      throw error
    }
  }

  /** Loads under the lease and stores; answers what was loaded, whether or not it could be stored. */
  async function fill<K extends ViewKey, V>(
    question: Question<K, V>,
    spot: Spot,
    lease: Lease,
  ): Promise<{ value: V; filled: Held | undefined } | typeof LOST> {
    let mine = lease
    const isMine = async () => {
      if (clock.monotonic() - mine.asked < leaseMs * WAITED_PART) return true
      // As it was asked for: the answer that is to be replaced may be fresh still.
      const again = await remote.lease(spot, mine.eagerMs, mine.token)
      if (again.kind === 'lease') mine = again
      return again.kind === 'lease'
    }
    let value: V
    let text: string
    let terms: ReturnType<typeof termsOf>
    try {
      const loaded = await load(question, isMine)
      if (loaded === LOST) return LOST
      value = loaded as V
      text = textOf(value)
      terms = termsOf(question.view, question.key, clock.now())
    } catch (error) {
      // Without it the others wait until the lease has run out.
      await remote.fail(spot, mine, errorText(error), throttleMs).catch(() => {})
      throw error
    }
    try {
      const freshMs = await remote.fill(spot, mine, text, terms.softMs, terms.hardMs)
      if (freshMs !== undefined) return { value, filled: { text, freshMs } }
    } catch (error) {
      events.emit('disturbed', { reason: messageOf(error) })
    }
    counts.refused++
    events.emit('refused', { view: question.view.name })
    return { value, filled: undefined }
  }
  return {
    /** Without a lease. */
    load: <K extends ViewKey, V>(question: Question<K, V>) => load(question) as Promise<V>,
    fill,
    /** Stored in Redis only. Never rejects: `failed` has told, and the lease keeps the failure for the others. */
    async refresh<K extends ViewKey, V>(question: Question<K, V>, spot: Spot, lease: Lease): Promise<void> {
      counts.refreshed++
      await fill(question, spot, lease).catch(() => {})
    },
  }
}

/** Throws PAYLOAD_INVALID for what does not have the view's shape. */
export function checked<K extends ViewKey, V>(view: View<K, V>, value: V): V {
  const parsed = view.shape.safeParse(value)
  if (parsed.success) return parsed.data
  const reason = parsed.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`).join('; ')
  const message = `The answer of view ${view.name} does not have its shape: ${reason}.`
  throw new SluiceError('PAYLOAD_INVALID', message, { view: view.name, reason })
}

/** How an answer is kept in Redis; empty stands for undefined. */
export const textOf = (value: unknown): string => (value === undefined ? '' : JSON.stringify(value))

/** Undefined for what somebody else has written there. */
export function readText<V>(text: string): { readonly value: V } | undefined {
  if (text === '') return { value: undefined as V }
  try {
    return { value: JSON.parse(text) as V }
  } catch {
    return undefined
  }
}

const errorText = (error: unknown) =>
  JSON.stringify({ code: isSluiceError(error) ? error.code : 'CACHE_LOAD_FAILED', message: messageOf(error) })

/** The failure of a load in another process. */
export function errorOf(text: string): SluiceError {
  const read = readText<{ code: SluiceError['code']; message: string }>(text)?.value
  return new SluiceError(read?.code ?? 'CACHE_LOAD_FAILED', read?.message ?? text)
}
