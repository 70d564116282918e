// When to stop. SIGINT, SIGTERM or SIGHUP ask to drain, a second one ends at once. A Ctrl-C reaches a child both
// from the terminal and from its parent, so what comes within a second counts as one.
import { systemClock } from '../kernel/index.ts'

const SAME_SIGNAL_MS = 1_000

export interface StopSignal {
  readonly signal: AbortSignal
  /** Stops listening. */
  release(): void
}

/** `onSecond` is called when somebody insists; without it the process exits with 130. */
export function stopSignal({
  onSecond = () => process.exit(130),
}: {
  onSecond?: () => void
} = {}): StopSignal {
  const stop = new AbortController()
  let firstAt = 0
  const onSignal = (name: string) => {
    const now = systemClock.monotonic()
    if (!stop.signal.aborted) {
      firstAt = now
      stop.abort(name)
    } else if (now - firstAt > SAME_SIGNAL_MS) onSecond()
  }
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const name of names) process.on(name, onSignal)
  // bin/prepare.mjs holds the other end of this channel: when it is killed, nobody could stop us any more.
  const onDisconnect = () => onSignal('disconnect')
  if (process.connected) {
    process.on('disconnect', onDisconnect)
    process.channel?.unref()
  }
  return {
    signal: stop.signal,
    release() {
      for (const name of names) process.off(name, onSignal)
      process.off('disconnect', onDisconnect)
    },
  }
}

/**
 * Under foreman, stdin is a pipe whose other end foreman holds: when it closes, foreman is gone (also by kill -9) and
 * `onGone` is called. Elsewhere stdin means nothing and is left alone.
 */
export function watchForeman(environment: Record<string, string | undefined>, onGone: () => void): void {
  if (environment['FOREMAN_WORKER_NAME'] === undefined) return
  process.stdin.on('error', onGone).on('end', onGone).resume()
  // The worker ends when its work does, not when the pipe does.
  if ('unref' in process.stdin) (process.stdin as unknown as { unref(): void }).unref()
}
