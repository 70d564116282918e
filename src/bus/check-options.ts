// Options that cannot work are refused where they are given: a handler that never begins, or whose time is over before
// it does, looks like a fault of the bus.
import { SluiceError } from '../kernel/index.ts'
import type { ConsumeOptions } from './bus.ts'

type Options = Pick<
  ConsumeOptions<never>,
  'stream' | 'group' | 'concurrency' | 'timeoutMs' | 'visibilityMs' | 'retryMs' | 'crashesMax'
>

/** Throws USAGE and names the option, what it is and what is allowed. */
export function checkOptions(options: Omit<Options, 'stream'> & { stream: { name: string } }): void {
  const {
    stream,
    group,
    concurrency = 1,
    timeoutMs = 1,
    visibilityMs = 1,
    retryMs = [],
    crashesMax = 1,
  } = options
  const demand = (holds: boolean, name: string, given: unknown, allowed: string) => {
    if (holds) return
    const message = `${name} of ${group || 'a group'} on ${stream.name} is ${String(given)}; allowed: ${allowed}.`
    throw new SluiceError('USAGE', message, { stream: stream.name, group, name })
  }
  demand(group !== '', 'group', JSON.stringify(group), 'a name')
  demand(
    Number.isInteger(concurrency) && concurrency > 0,
    'concurrency',
    concurrency,
    'a whole number from 1 on',
  )
  demand(timeoutMs > 0, 'timeoutMs', timeoutMs, 'ms above 0')
  demand(visibilityMs > 0, 'visibilityMs', visibilityMs, 'ms above 0')
  demand(
    retryMs.every((ms) => ms >= 0 && Number.isFinite(ms)),
    'retryMs',
    `[${retryMs.join(', ')}]`,
    'ms from 0 on',
  )
  demand(crashesMax >= 1, 'crashesMax', crashesMax, 'a number from 1 on, or Infinity')
}
