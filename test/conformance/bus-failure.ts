// Properties of failure: what fails comes again, what is cancelled comes to the next, and errors stop nobody.
import type { HandlerContext } from '../../src/bus/index.ts'
import { isSluiceError } from '../../src/kernel/index.ts'
import { eventually } from '../support/eventually.ts'
import { letter, miscountedOf } from './bus-journal.ts'
import { demand, lettersOf, type Trial } from './bus-trial.ts'

const AT_ONCE = [1, 1, 1, 1] as const

export async function redeliveryOnError(
  trial: Trial,
  { messages, errors } = { messages: 100, errors: 2 },
): Promise<void> {
  const stream = trial.stream()
  const sent = lettersOf(stream, 10, messages / 10)
  await trial.publish(trial.open(), stream, sent)
  let failed = 0
  const subscriber = trial.subscribe(stream, {
    retryMs: AT_ONCE,
    act() {
      if (failed++ < errors) throw new Error('not this time')
    },
  })
  await trial.settled(stream, sent)
  await subscriber.stop()
  demand([...(await trial.faults(stream, sent)), ...miscountedOf(trial.deeds)])
}

/** Three subscribers fail a hundred times each and leave; the fourth gets everything. */
export async function afterErrors(
  trial: Trial,
  { messages, failing, errors } = { messages: 50, failing: 3, errors: 100 },
): Promise<void> {
  const stream = trial.stream()
  const sent = lettersOf(stream, 10, messages / 10)
  await trial.publish(trial.open(), stream, sent)
  // More than there are errors: none of them may end as a dead letter.
  const retryMs = Array.from({ length: failing * errors + 1 }, () => 1)
  for (let i = 0; i < failing; i++) {
    const before = trial.deeds.length
    const failures = () => trial.deeds.slice(before).filter(({ what }) => what === 'failed').length
    const act = () => {
      throw new Error('never here')
    }
    const subscriber = trial.subscribe(stream, { retryMs, act })
    await eventually(() => failures() >= errors, { what: `${errors} errors` })
    await subscriber.stop()
  }
  const subscriber = trial.subscribe(stream, { retryMs })
  await trial.settled(stream, sent)
  await subscriber.stop()
  demand(await trial.faults(stream, sent))
}

/** A fold tries nothing twice, because the same state and entry fail the same: a hundred go, the others stay. */
export async function foldAfterErrors(trial: Trial, { messages, errors } = { messages: 50, errors: 100 }) {
  const stream = trial.stream()
  const publisher = trial.open()
  const good = lettersOf(stream, 10, messages / 10)
  const poison = Array.from({ length: errors }, (_, i) => letter(stream.name, `poison${i}`, 0))
  await trial.publish(publisher, stream, [
    ...good.slice(0, messages / 2),
    ...poison,
    ...good.slice(messages / 2),
  ])
  const subscriber = trial.subscribe(stream, {
    act({ data }) {
      if (data.key.startsWith('poison')) throw new Error('poisoned')
    },
  })
  await trial.settled(stream, good)
  await subscriber.stop()
  demand(await trial.faults(stream, [...good, ...poison], { dead: poison, disturbed: true }))
  const buried = new Set((await publisher.deadLetters(stream as never, errors)).map(({ eventId }) => eventId))
  demand(poison.filter(({ id }) => !buried.has(id)).map(({ id }) => `not buried: ${id}`))
}

/** What the cancelled subscriber had begun and not done goes to the next one. */
export async function redeliveryOnCancel(trial: Trial, messages = 20): Promise<void> {
  const stream = trial.stream()
  const sent = lettersOf(stream, 5, messages / 5)
  await trial.publish(trial.open(), stream, sent)
  const cancelled = Promise.withResolvers<void>()
  const act = async () => {
    await cancelled.promise
    throw new Error('cancelled')
  }
  const first = trial.subscribe(stream, { retryMs: AT_ONCE, act })
  await eventually(() => trial.deeds.length > 0)
  first.cancel()
  cancelled.resolve()
  await first.stop()
  const second = trial.subscribe(stream, { retryMs: AT_ONCE })
  await trial.settled(stream, sent)
  await second.stop()
  demand(await trial.faults(stream, sent))
}

/** A fold is cancelled at its first message; the next one goes on with its state, also with what comes after. */
export async function foldCancelled(trial: Trial, messages = 20): Promise<void> {
  const stream = trial.stream()
  const publisher = trial.open()
  const sent = lettersOf(stream, 5, messages / 5)
  await trial.publish(publisher, stream, sent.slice(0, messages / 2))
  const first = trial.subscribe(stream, { act: () => first.cancel() })
  await eventually(() => trial.deeds.length > 0)
  await first.stop()
  await trial.publish(publisher, stream, sent.slice(messages / 2))
  const second = trial.subscribe(stream)
  await trial.settled(stream, sent)
  await second.stop()
  demand(await trial.faults(stream, sent))
}

/** A close waits for the handler, but not for ever: its signal aborts, and the next subscriber gets the message. */
export async function abortOnClose(trial: Trial): Promise<void> {
  const stream = trial.stream()
  const sent = lettersOf(stream, 1, 2)
  await trial.publish(trial.open(), stream, sent)
  let reason: unknown
  const act = async (_: unknown, context?: HandlerContext) => {
    const { signal } = context!
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    reason = signal.reason
    throw reason
  }
  const first = trial.subscribe(stream, { retryMs: AT_ONCE, timeoutMs: 300, act })
  await eventually(() => trial.deeds.length > 0)
  await first.stop()
  const ends = trial.deeds.filter(({ what }) => what === 'failed')
  const second = trial.subscribe(stream)
  await trial.settled(stream, sent)
  await second.stop()
  demand([
    ...(isSluiceError(reason, 'HANDLER_TIMEOUT') ? [] : [`the signal said ${String(reason)}`]),
    ...(ends.length > 0 ? [] : ['the handler was left behind']),
    ...(await trial.faults(stream, sent)),
  ])
}

/** What is under way when the subscription is closed may finish, and does not come again. */
export async function drainOnClose(trial: Trial): Promise<void> {
  const stream = trial.stream()
  const sent = lettersOf(stream, 1, 2)
  await trial.publish(trial.open(), stream, sent)
  const gate = Promise.withResolvers<void>()
  let aborted = false
  const act = async (_: unknown, context?: HandlerContext) => {
    context?.signal.addEventListener('abort', () => {
      aborted = true
    })
    await gate.promise
  }
  const first = trial.subscribe(stream, { act })
  await eventually(() => trial.deeds.length > 0)
  first.cancel()
  gate.resolve()
  await first.stop()
  const second = trial.subscribe(stream)
  await trial.settled(stream, sent)
  await second.stop()
  demand([
    ...(aborted ? ['the signal of a draining handler aborted'] : []),
    ...(await trial.faults(stream, sent)),
  ])
}
