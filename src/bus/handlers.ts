// Handlers under way: each ends by itself, by its time, or because its partition is lost. The signal of a handler is
// made when it is asked for, and one timer serves all of them: a controller, an AbortSignal.any and a timer for each
// entry cost more than everything else on the consumer's path (numbers in docs/BUS.md).
import { afterMs, type Clock, SluiceError } from '../kernel/index.ts'
import type { ConsumeOptions, Entry, HandlerContext, Outgoing, Ownership } from './bus.ts'
import type { Publish } from './publish.ts'

const TIMEOUT_MS = 60_000
// Node fires a longer timer at once.
const TIMER_MAX_MS = 2 ** 31 - 1

export interface Handlers<T> {
  /** Calls `ended` once with what the handler threw, or undefined; never later than the handler's time. */
  run(entry: Entry<T>, ended: (error: unknown) => void): void
}

interface Running {
  until: number
  readonly ended: (error: unknown) => void
  /** Set once it was ended from outside. */
  over: { readonly reason: unknown } | undefined
  /** Made when it is asked for. */
  controller: AbortController | undefined
}

type HandlerOptions<T> = Pick<ConsumeOptions<T>, 'handle' | 'timeoutMs' | 'stream' | 'group'>

/** What handlers are given besides their entry. */
export interface Lent {
  readonly ownership: Ownership | undefined
  readonly publish: Publish
  /** Ends all that are under way. */
  readonly over: AbortSignal
}

export function openHandlers<T>(
  clock: Clock,
  { handle, timeoutMs = TIMEOUT_MS, stream, group }: HandlerOptions<T>,
  { ownership, publish, over: ending }: Lent,
): Handlers<T> {
  const lifeMs = Math.min(timeoutMs, TIMER_MAX_MS)
  // In the order of their deadlines, because all have the same time.
  const running = new Set<Running>()
  let cancel: (() => void) | undefined

  const time = (ms: number) => {
    cancel = afterMs(ms, () => {
      cancel = undefined
      const now = clock.monotonic()
      for (const one of running) {
        if (one.until > now) return time(one.until - now)
        const facts = { stream: stream.name, group, timeoutMs }
        const message = `The handler ran longer than ${timeoutMs} ms.`
        end(one, new SluiceError('HANDLER_TIMEOUT', message, facts))
      }
    })
  }

  const finish = (one: Running, error: unknown) => {
    if (running.delete(one)) one.ended(error)
  }
  const end = (one: Running, reason: unknown) => {
    one.over = { reason }
    // A handler that ignores its signal must not hold the entry for ever.
    finish(one, reason)
    one.controller?.abort(reason)
  }
  const endAll = () => {
    // Until it fires, a timer keeps all that belongs to its consumer (measured: 13 signals for each that came and went).
    cancel?.()
    for (const one of running) end(one, ending.reason)
  }
  ending.addEventListener('abort', endAll, { once: true })
  const publishOwn = (events: readonly Outgoing[]) => publish(events, ownership)

  const contextOf = (one: Running): HandlerContext => ({
    get signal() {
      one.controller ??= new AbortController()
      if (one.over && !one.controller.signal.aborted) one.controller.abort(one.over.reason)
      return one.controller.signal
    },
    progress() {
      // Behind the others, whose deadlines are earlier now; one that has ended stays ended.
      if (!running.delete(one)) return
      one.until = clock.monotonic() + lifeMs
      running.add(one)
    },
    ownership,
    publish: publishOwn,
  })

  return {
    run(entry, ended) {
      if (ending.aborted) return void ended(ending.reason)
      const one: Running = {
        ended,
        until: clock.monotonic() + lifeMs,
        over: undefined,
        controller: undefined,
      }
      running.add(one)
      if (!cancel) time(lifeMs)
      const threw = (error: unknown) => finish(one, error ?? new Error('the handler threw nothing'))
      try {
        handle(entry, contextOf(one)).then(() => finish(one, undefined), threw)
      } catch (error) {
        threw(error)
      }
    },
  }
}
