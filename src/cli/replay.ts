// `sluice replay <file>`: publishes a recording to the running system, exactly as its feed worker would.
import { systemClock } from '../kernel/index.ts'
import { feedTask, marketEmitter } from '../market/index.ts'
import { openVenues } from '../venues/index.ts'
import { withPlatform } from './connection.ts'
import { runningConfig } from './running-config.ts'
import { stopSignal } from './stop-signal.ts'
import type { Terminal } from './terminal.ts'

/** Resolves at the end of the recording or when told to stop. Throws FILE_NOT_FOUND or RECORDING_INVALID. */
export async function replayThroughSystem(path: string, speed: number, terminal: Terminal): Promise<void> {
  const config = { ...runningConfig(), FEED: `replay:${path}`, FEED_SPEED: speed }
  const stop = stopSignal()
  const events = marketEmitter()
  const counts = { accepted: 0, rejected: 0, lost: 0 }
  events.on('accepted', ({ count }) => {
    counts.accepted += count
  })
  events.on('rejected', ({ count }) => {
    counts.rejected += count
  })
  events.on('lost', ({ count }) => {
    counts.lost += count
  })
  try {
    await withPlatform(async ({ bus }) => {
      const venues = openVenues(config)
      await feedTask({ bus, venues, config, clock: systemClock, events })(stop.signal)
    })
  } finally {
    stop.release()
  }
  const { accepted, rejected, lost } = counts
  terminal.result(
    { recording: path, speed, quotes: accepted, rejected, unpublished: lost, stopped: stop.signal.aborted },
    `${accepted} quotes published, ${rejected} refused${lost > 0 ? `, ${lost} messages unpublished` : ''}`,
  )
}
