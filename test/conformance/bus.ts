// What any Bus must hold: the properties of Watermill's universal suite for publishers and subscribers with its
// numbers, on a real server, for every mode of a subscription that promises them.
import { afterAll, beforeAll, describe, it } from 'vitest'
import { afterSubscriberClose, concurrentClose, publisherClose, serverRestart } from './bus-closing.ts'
import {
  lateGroups,
  manyAtOnce,
  manyTopics,
  movesWhenDone,
  noSecondOfAKey,
  orderOfKeys,
  publishThenSubscribe,
  topicsAreIsolated,
  twoGroups,
} from './bus-delivery.ts'
import {
  abortOnClose,
  afterErrors,
  drainOnClose,
  foldAfterErrors,
  foldCancelled,
  redeliveryOnCancel,
  redeliveryOnError,
} from './bus-failure.ts'
import { type BusImplementation, type Mode, openTrial, type Start, type Trial } from './bus-trial.ts'

type Property = readonly [says: string, modes: readonly Mode[], prove: (trial: Trial) => Promise<void>]

const ALL = ['key', 'none', 'fold'] as const
const HANDLERS = ['key', 'none'] as const
const ORDERED = ['key', 'fold'] as const

const PROPERTIES: readonly Property[] = [
  ['100 messages published before anybody subscribes are received', ALL, publishThenSubscribe],
  ['5,000 messages of 50 publishers are received by 50 subscribers', ALL, manyAtOnce],
  ['20 topics of 100 messages are served at once', ALL, manyTopics],
  ['two topics know nothing of each other', ALL, topicsAreIsolated],
  ['a message comes again after an error, and counts its attempts', HANDLERS, redeliveryOnError],
  ['no second message of a key comes before the first is acknowledged', ['key'], noSecondOfAKey],
  ['a partition changes hands only when what is under way in it is done', ['key'], movesWhenDone],
  ['5,000 messages are received in 5 rounds by subscribers that close', ALL, afterSubscriberClose],
  ['subscribers that close at once leave everything to the next one', ALL, concurrentClose],
  ['everything is received after three subscribers failed 100 times each', HANDLERS, afterErrors],
  ['everything else is received after 100 messages that cannot be applied', ['fold'], foldAfterErrors],
  ['1,000 messages of 16 keys come in order to 10 subscribers', ORDERED, orderOfKeys],
  ['20 publishers that close lose none of 10,000 messages', ALL, publisherClose],
  ['a handler that is under way at a close finishes, and its message is done', HANDLERS, drainOnClose],
  ['the signal of a handler that does not finish aborts at a close', HANDLERS, abortOnClose],
  ['what a cancelled subscriber did not finish comes to the next one', HANDLERS, redeliveryOnCancel],
  ['what a cancelled fold did not apply comes to the next one', ['fold'], foldCancelled],
  ['a group that comes late sees the history', ALL, lateGroups],
  ['two groups each get everything', ALL, twoGroups],
]

export async function prove(
  implementation: BusImplementation,
  mode: Mode,
  property: (trial: Trial) => Promise<void>,
): Promise<void> {
  const trial = openTrial(implementation, mode)
  try {
    await property(trial)
  } finally {
    await trial.end()
  }
}

export function describeBus(name: string, start: Start): void {
  describe(`${name} as a bus`, () => {
    let implementation: BusImplementation
    beforeAll(async () => {
      implementation = await start(false)
    })
    afterAll(() => implementation.close())

    for (const [says, modes, property] of PROPERTIES) {
      it.concurrent.each(modes)(`${says} (%s)`, (mode) => prove(implementation, mode, property))
    }

    it.concurrent('none of 10,000 messages is lost when the server restarts at a third and at half of them', async () => {
      const own = await start(true)
      try {
        await prove(own, 'key', (trial) => serverRestart(trial, ALL))
      } finally {
        await own.close()
      }
    })
  })
}
