// The same warning a thousand times a second tells no more than once and a number: the first is logged at once,
// what follows within ten seconds is counted and logged together.
import { afterMs, type Clock, type Logger } from '../kernel/index.ts'

const QUIET_MS = 10_000

export interface Warning {
  readonly part: string
  readonly event: string
  readonly level: 'warn' | 'error'
  readonly says: string
  readonly key: string
  readonly fact: object
}

export function openWarnings(clock: Clock, log: Logger): (warning: Warning) => void {
  const quiet = new Map<string, { until: number; more: number; last: Warning }>()
  const write = ({ part, event, level, says, fact }: Warning, times: number) =>
    log[level]({ part, event, ...fact, ...(times > 1 ? { times } : {}) }, says)
  const summarize = (name: string) => {
    const state = quiet.get(name)
    quiet.delete(name)
    if (state && state.more > 0) write(state.last, state.more)
  }
  return (warning) => {
    const name = `${warning.part}.${warning.event} ${warning.key}`
    const state = quiet.get(name)
    if (state && clock.monotonic() < state.until) {
      state.more += 1
      state.last = warning
      return
    }
    summarize(name)
    write(warning, 1)
    quiet.set(name, { until: clock.monotonic() + QUIET_MS, more: 0, last: warning })
    afterMs(QUIET_MS, () => summarize(name))
  }
}
