// Publishes the market that FEED names: simulated venues or a recording.
import { feedTask, openFeedPlace } from '../src/market/index.ts'
import type { Worker } from '../src/platform.ts'

export const worker: Worker = {
  name: 'feed',
  about: 'publishes quotes of simulated venues or of a recording',
  usesDatabase: false,
  tasks: ({ bus, venues, config, clock, events, log, redis }) => [
    feedTask({
      ...{ bus, venues, config, clock, events: events.market },
      place: openFeedPlace(redis, config),
      onResume: (step) => {
        const advice = 'an empty Redis, or sluice replay, plays it from its beginning'
        log.warn({ step, advice }, 'this Redis has the recording up to here; the feed goes on after it')
      },
      onEnd: (summary) => log.info(summary, 'the recording has ended'),
    }),
  ],
}
