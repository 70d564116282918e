// Properties of what comes and goes: subscribers, publishers, and the server itself.
import { eventually } from '../support/eventually.ts'
import { publishSideBySide } from './bus-delivery.ts'
import { letter, lostOf } from './bus-journal.ts'
import { demand, lettersOf, type Mode, type Trial } from './bus-trial.ts'

const counted = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

/** Each round's subscriber leaves when it has had its share; nothing is lost and nothing comes twice. */
export async function afterSubscriberClose(
  trial: Trial,
  { messages, rounds } = { messages: 5_000, rounds: 5 },
): Promise<void> {
  const stream = trial.stream()
  const { sent, published } = publishSideBySide(trial, stream, { messages, publishers: 50 })
  await published
  for (let round = 1; round <= rounds; round++) {
    const bus = trial.open()
    const share = (messages / rounds) * round
    const subscriber = trial.subscribe(stream, {
      bus,
      act() {
        if (trial.done(stream) >= share && round < rounds) subscriber.cancel()
      },
    })
    if (round < rounds) await eventually(() => trial.done(stream) >= share, { what: `round ${round}` })
    else await trial.settled(stream, sent)
    await subscriber.stop()
    await bus.close()
  }
  demand(await trial.faults(stream, sent))
}

/** Ten subscribers close at once as they come, ten more at their first message; the next one gets the rest. */
export async function concurrentClose(trial: Trial, { messages, closing } = { messages: 50, closing: 10 }) {
  const stream = trial.stream()
  const publisher = trial.open()
  await Promise.all(
    counted(closing).map(async () => {
      const bus = trial.open()
      await trial.subscribe(stream, { bus }).stop()
      await bus.close()
    }),
  )
  const sent = lettersOf(stream, 10, (2 * messages) / 10)
  await trial.publish(publisher, stream, sent.slice(0, messages))
  const serving = counted(closing).map(() => ({ bus: trial.open() }))
  const closeAll = () => {
    for (const subscriber of subscribers) subscriber.cancel()
  }
  const subscribers = serving.map(({ bus }) => trial.subscribe(stream, { bus, act: closeAll }))
  await eventually(() => trial.deeds.length > 0)
  await Promise.all(subscribers.map((subscriber) => subscriber.stop()))
  await Promise.all(serving.map(({ bus }) => bus.close()))
  await trial.publish(publisher, stream, sent.slice(messages))
  const last = trial.subscribe(stream)
  await trial.settled(stream, sent)
  await last.stop()
  demand(await trial.faults(stream, sent))
}

/**
 * Publishers close in the middle of what they publish. What was confirmed is there; then another publishes everything
 * again, and what was there is not stored twice.
 */
export async function publisherClose(
  trial: Trial,
  { messages, publishers } = { messages: 10_000, publishers: 20 },
): Promise<void> {
  const stream = trial.stream()
  const each = messages / publishers
  const lists = counted(messages / 10).map((list) =>
    counted(10).map((n) => letter(stream.name, `p${Math.floor((list * 10) / each)}x${list}`, n)),
  )
  const sent = lists.flat()
  const refused: (typeof lists)[number][] = []
  await Promise.all(
    counted(publishers).map(async (p) => {
      const bus = trial.open()
      const own = lists.slice((p * each) / 10, ((p + 1) * each) / 10)
      const half = own.length / 2
      for (const list of own.slice(0, half)) await trial.publish(bus, stream, list)
      const calls = own.slice(half).map((list) =>
        trial.publish(bus, stream, list).catch(() => {
          refused.push(list)
        }),
      )
      await bus.close()
      await Promise.all(calls)
    }),
  )
  const unconfirmed = new Set(refused.flat())
  const confirmed = sent.filter((one) => !unconfirmed.has(one))
  const again = trial.open()
  const subscriber = trial.subscribe(stream)
  await trial.settled(stream, confirmed)
  demand(lostOf(confirmed, trial.deeds, 'g'))
  await trial.publish(again, stream, sent)
  await trial.settled(stream, sent)
  await subscriber.stop()
  demand(await trial.faults(stream, sent))
}

/**
 * The server is killed and started again after a third and after half of the messages, while publishers and
 * subscribers of every mode go on. Repetitions are allowed to subscribers; nothing is stored twice.
 */
export async function serverRestart(
  trial: Trial,
  modes: readonly Mode[],
  { messages, publishers } = { messages: 10_000, publishers: 100 },
): Promise<void> {
  const stream = trial.stream()
  const said = trial.stream()
  for (const mode of modes) {
    const says = mode === 'fold' ? { says: said } : {}
    for (let i = 0; i < 2; i++) trial.subscribe(stream, { mode, group: mode, ...says })
  }
  const buses = counted(5).map(() => trial.open())
  const restartAt = new Set([Math.floor(messages / 3), Math.floor(messages / 2)])
  let confirmed = 0
  let restarted = Promise.resolve()
  const lists = counted(publishers).map((p) =>
    counted(messages / publishers).map((n) => letter(stream.name, `p${p}`, n)),
  )
  await Promise.all(
    lists.map(async (list, p) => {
      for (const one of list) {
        // A publisher repeats what was not confirmed; the id keeps it from being stored twice.
        const confirm = () => trial.publish(buses[p % 5]!, stream, [one]).then(() => true)
        await eventually(confirm, { what: 'a confirmation' })
        if (restartAt.has(++confirmed)) restarted = restarted.then(() => trial.restart())
      }
    }),
  )
  await restarted
  const sent = lists.flat()
  for (const group of modes) await trial.settled(stream, sent, group)
  const says = sent.map((one) => ({ ...one, stream: said.name }))
  for (const mode of modes) {
    demand(await trial.faults(stream, sent, { groups: [mode], mode, disturbed: true }))
  }
  if (modes.includes('fold')) demand(await trial.faults(said, says, { groups: [] }))
}
