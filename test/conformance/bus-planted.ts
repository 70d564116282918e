// Each property of the suite is shown to fail on a bus that breaks it, with numbers as small as the fault allows.
import { afterAll, beforeAll, describe, it } from 'vitest'
import { prove } from './bus.ts'
import { afterSubscriberClose, concurrentClose, publisherClose, serverRestart } from './bus-closing.ts'
import * as delivery from './bus-delivery.ts'
import * as failure from './bus-failure.ts'
import * as faults from './bus-faults.ts'
import type { BusImplementation, Mode, Start, Trial } from './bus-trial.ts'

type Planted = readonly [
  does: string,
  spoil: Parameters<typeof faults.spoiled>[1],
  mode: Mode,
  property: (trial: Trial) => Promise<void>,
  found: RegExp,
]

const few = { messages: 100, publishers: 10, subscribers: 5 }
const fewClosing = { messages: 500, publishers: 20 }
const fewErrors = { messages: 10, failing: 1, errors: 10 }
const fewOrdered = { messages: 320, keys: 16, subscribers: 5 }
const publishFew = (trial: Trial) => delivery.publishThenSubscribe(trial)
const manyFew = (trial: Trial) => delivery.manyAtOnce(trial, few)
const topicsFew = (trial: Trial) => delivery.manyTopics(trial, { topics: 3, messages: 100 })
const orderFew = (trial: Trial) => delivery.orderOfKeys(trial, fewOrdered)
const errorsFew = (trial: Trial) => failure.afterErrors(trial, fewErrors)
const poisonFew = (trial: Trial) => failure.foldAfterErrors(trial, { messages: 20, errors: 5 })
const roundsFew = (trial: Trial) => afterSubscriberClose(trial, { messages: 500, rounds: 5 })
const closeFew = (trial: Trial) => publisherClose(trial, fewClosing)

const PLANTED: readonly Planted[] = [
  ['drops a message', faults.drops, 'key', publishFew, /^lost: \S+ k1\/3 for g\ndisordered: /],
  ['drops a message', faults.drops, 'none', manyFew, /^lost: \S+ p1\/3 for g\n1 faults$/],
  ['drops a message', faults.foldDrops, 'fold', publishFew, /^lost: \S+ k1\/3 for g\n/],
  ['handles a message twice', faults.repeats, 'key', manyFew, /^repeated: \S+ p1\/3 for g\n1 faults$/],
  ['handles a message twice', faults.repeats, 'none', topicsFew, /^repeated: \S+ k1\/3 for g\n/],
  ['crosses topics', faults.crossesTopics(), 'key', topicsFew, /^foreign: /],
  ['crosses topics', faults.crossesTopics(), 'none', delivery.topicsAreIsolated, /^foreign: /],
  ['reorders a key', faults.reorders(), 'key', orderFew, /^disordered: /],
  ['acknowledges before the end', faults.acknowledgesEarly, 'key', delivery.noSecondOfAKey, /^early: a\/1\n/],
  ['shares a message between groups', faults.sharesGroups(), 'key', delivery.twoGroups, /^lost: /],
  ['begins a late group at the end', faults.beginsAtEnd, 'none', delivery.lateGroups, /^lost: /],
  ['takes a failure for an end', faults.swallowsErrors, 'key', failure.redeliveryOnError, /^lost: /],
  ['takes a failure for an end', faults.swallowsErrors, 'none', errorsFew, /^lost: /],
  ['takes a failure for an end', faults.foldSwallows, 'fold', poisonFew, /^dead: 0 letters instead of 5\n/],
  ['takes a cancellation for an end', faults.swallowsErrors, 'key', failure.redeliveryOnCancel, /^lost: /],
  [
    'counts no attempts',
    faults.countsNoAttempts,
    'key',
    failure.redeliveryOnError,
    /^miscounted: .*\nmiscounted: .*\n2 faults$/,
  ],
  ['never aborts a signal', faults.neverAborts, 'key', failure.abortOnClose, /the handler was left behind/],
  [
    'aborts what drains',
    faults.abortsDrains,
    'none',
    failure.drainOnClose,
    /^the signal of a draining handler/,
  ],
  ['acknowledges what it leaves', faults.losesOnClose, 'key', roundsFew, /^lost: /],
  ['acknowledges what it leaves', faults.losesOnClose, 'none', roundsFew, /^lost: /],
  ['acknowledges what it leaves', faults.losesOnClose, 'none', concurrentClose, /^lost: /],
  ['forgets the state of a fold', faults.foldForgets, 'fold', failure.foldCancelled, /^forgotten: /],
  [
    'stores twice what is published twice',
    faults.storesTwice(),
    'none',
    closeFew,
    /^foreign: \S+ p\d+x\d+\/\d again/,
  ],
  ['confirms too early', faults.confirmsEarly, 'key', closeFew, /^lost: /],
]

export function describePlantedFaults(name: string, start: Start): void {
  describe(`the suite for ${name} finds a bus that`, () => {
    let implementation: BusImplementation
    beforeAll(async () => {
      implementation = await start(false)
    })
    afterAll(() => implementation.close())

    it.concurrent.for(PLANTED)('%s (%#)', async ([_, spoil, mode, property, found], { expect }) => {
      const broken = faults.spoiled(implementation, spoil)
      await expect(prove(broken, mode, property)).rejects.toThrow(found)
    })

    it.concurrent('publishes again under another id while its server restarts', async ({ expect }) => {
      const own = await start(true)
      try {
        const broken = faults.spoiled(own, faults.resendsWithoutId())
        const restart = (trial: Trial) => serverRestart(trial, ['key'], { messages: 300, publishers: 10 })
        await expect(prove(broken, 'key', restart)).rejects.toThrow(/^foreign: \S+ p\d\/0 again/)
      } finally {
        await own.close()
      }
    })
  })
}
