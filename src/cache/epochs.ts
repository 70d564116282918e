// Which epoch the cache's keys belong to. It is asked on the connection that is then used: after another one (the server
// was started again, a replica was promoted) it is asked anew before anything else, because what the server brings back
// may be older than what was told.
import { type Clock, isSluiceError, messageOf, randomId, SluiceError } from '../kernel/index.ts'
import { onNodeOf, type Redis, type RedisNode, ready, runScript, watchLine } from '../redis/index.ts'
import type { Breaker } from './breaker.ts'
import { META } from './keys.ts'
import { OPEN } from './scripts.ts'

export interface EpochOptions {
  /** With the manners of a cache: an answer at once or none. Undefined once it is closed. */
  readonly client: () => Redis | undefined
  readonly clock: Clock
  readonly breaker: Breaker
}

/** What OPEN answered on the present connection. */
export interface Epoch {
  readonly client: Redis
  /** Where its commands go. */
  readonly node: RedisNode
  readonly epoch: string
  /** Server time − monotonic time, ms. */
  readonly ahead: number
  /** In use, as text, each followed by a comma: an answer may be there in any of them. */
  readonly shapes: string
  readonly isElsewhere: () => boolean
}

export interface Epochs {
  /**
   * Runs a command under the present epoch, again under the next when its answer is 'epoch'. Rejects with
   * REDIS_UNAVAILABLE when the server does not answer, or the breaker is open.
   */
  within<T>(command: (epoch: Epoch) => Promise<T | 'epoch'>): Promise<T>
  /** The epoch may have changed: it is asked for before the next use. */
  forget(): void
}

// An epoch that changes between two calls is taken over; one that changes each time is not to be used.
const EPOCHS_MAX = 3
// For the first connection and after each that broke; the breaker keeps others from waiting as well.
const READY_MS = 50

export function openEpochs({ client, clock, breaker }: EpochOptions): Epochs {
  let known: Epoch | undefined
  let asking: Promise<Epoch> | undefined

  async function ask(): Promise<Epoch> {
    const one = client()
    if (!one) throw unavailable('it is closed')
    await ready(one, READY_MS)
    const asked = clock.monotonic()
    const isElsewhere = watchLine(one, META)
    const node = onNodeOf(one, META)
    const run = /^run_id:(\w+)/m.exec(await node.info('server'))?.[1]
    if (run === undefined) throw unavailable('it does not say its run_id')
    const opened = await runScript(one, OPEN, [META], [run, randomId()])
    const [epoch, now, shapes] = opened as [string, number, string]
    return { client: one, node, epoch, shapes, ahead: now - (asked + clock.monotonic()) / 2, isElsewhere }
  }
  function present(): Epoch | Promise<Epoch> {
    if (known && !known.isElsewhere()) return known
    asking ??= begin()
    return asking
  }
  function begin(): Promise<Epoch> {
    const mine: Promise<Epoch> = ask()
      .then((next) => {
        // An answer from before it was to be forgotten is of no use to who comes later.
        if (asking === mine) known = next
        return next
      })
      .finally(() => {
        if (asking === mine) asking = undefined
      })
    return mine
  }
  const forget = () => {
    known = undefined
    asking = undefined
  }
  return {
    async within(command) {
      if (!breaker.admits()) throw unavailable('it did not answer, and is not asked for a moment')
      try {
        for (let i = 0; i < EPOCHS_MAX; i++) {
          const at = present()
          const here = at instanceof Promise ? await at : at
          if (here.isElsewhere()) continue
          const answer = await command(here)
          if (answer !== 'epoch') {
            breaker.succeeded()
            return answer
          }
          forget()
        }
        throw unavailable('its epoch changes again and again')
      } catch (error) {
        // A server that is full answers, and its drops pass: taken for away, it passed 0 of 394 while 20 readers asked.
        if (isFull(error)) breaker.succeeded()
        else breaker.failed(messageOf(error))
        throw isAway(error) ? error : unavailable(messageOf(error), error)
      }
    },
    forget,
  }
}

/** True for what `within` rejects with; a loader may need a Redis of its own, which is none of the cache's business. */
export const isAway = (error: unknown): boolean =>
  isSluiceError(error, 'REDIS_UNAVAILABLE') && error.facts['of'] === 'cache'

const isFull = (error: unknown) => messageOf(error).startsWith('OOM')

const unavailable = (reason: string, cause?: unknown) =>
  new SluiceError('REDIS_UNAVAILABLE', `The cache's Redis is not used: ${reason}`, { of: 'cache' }, cause)
