// A worker of a chaos run, in a process of its own: an ordered group and one without order over the same stream, each
// effect with its inbox row in one transaction, and outputs by both ways. It does what a user's worker would do; the
// faults that the checker must find are planted here, by name.
import {
  checkOwnership,
  type Entry,
  enqueue,
  firstTime,
  type HandlerContext,
  openBus,
  openRelay,
  Reject,
  RetryAfter,
} from '../../src/bus/index.ts'
import { openDatabase, type Tx } from '../../src/db/index.ts'
import {
  type Clock,
  isSluiceError,
  runTasks,
  systemClock,
  messageOf as textOf,
} from '../../src/kernel/index.ts'
import { effectsIn } from './effects-table.ts'
import {
  eventOf,
  isForLoose,
  isGivenUp,
  kindOf,
  LOOSE,
  type Message,
  ORDERED,
  outputOf,
  RETRY_MS,
  streamsOf,
  stumblesOf,
} from './plan.ts'
import type { ToWorker, WorkerOptions } from './processes.ts'

const options = JSON.parse(process.argv[2]!) as WorkerOptions
const { name, url, plan, leaseMs, replicas, fault } = options
const streams = streamsOf(plan)

let jumpedMs = 0
// Jumps of the wall clock must change nothing.
const clock: Clock = { ...systemClock, now: () => Date.now() + jumpedMs }

/** The message that is not taken for now. */
let refused = options.refused
/** Stop at the next effect, between the last look at anything and its transaction. */
let halting = false

const database = openDatabase({ ...options.database, clock, busyMs: 20_000 })
const effects = effectsIn(database)
const bus = openBus({ url, clock, leaseMs, visibilityMs: leaseMs * 2, replicas })
const relay = openRelay({ bus, database, streams: [streams.said, streams.told] })
const stop = new AbortController()

process.on('message', (message: ToWorker) => {
  if ('halt' in message) halting = message.halt
  if ('refuse' in message) refused = message.refuse
  if ('jumpMs' in message) jumpedMs += message.jumpMs
})
process.once('SIGTERM', () => stop.abort())
// The coordinator ended without a word.
process.once('disconnect', () => process.exit(1))
process.on('error', () => process.exit(1))
bus.events.on('lost', (fact) => process.send?.({ lost: `${fact.group}/${fact.partition}: ${fact.reason}` }))
bus.events.on('fenced', () => process.send?.({ fenced: true }))
for (const what of ['tookOver', 'handedOver', 'fenced', 'disturbed'] as const) {
  bus.events.on(what, (fact: object) => process.send?.({ noted: { what, at: Date.now(), ...fact } }))
}

const consumeOf = {
  stream: streams.input,
  retryMs: RETRY_MS,
  // The run kills workers all the time; that must not bury what they hold.
  crashesMax: Number.POSITIVE_INFINITY,
}

const ordered = bus.consume<Message>({
  ...consumeOf,
  group: ORDERED,
  order: 'key',
  async handle(entry, context) {
    if (entry.data.i === refused) throw new RetryAfter(20, 'not for now')
    if (entry.attempt <= stumblesOf(plan, entry.data.i)) throw new Error('it stumbles')
    const isHalted = await halt(entry, context)
    const work = () => takeEffect(entry, context)
    if (fault === 'ack before effect' && !isGivenUp(plan, entry.data.i)) return later(work)
    await orLater(work).finally(() => isHalted && process.send!({ through: entry.data.i }))
  },
})

const loose = bus.consume<Message>({
  ...consumeOf,
  group: LOOSE,
  order: 'none',
  async handle(entry) {
    if (!isForLoose(entry.data.i)) return
    if (isGivenUp(plan, entry.data.i)) return giveUp(entry)
    if (entry.attempt <= stumblesOf(plan, entry.data.i)) throw new Error('it stumbles')
    await orLater(() =>
      database.write(async (tx) => {
        if (await isNew(tx, LOOSE, entry)) await note(tx, LOOSE, entry, 0)
      }),
    )
  },
})

async function takeEffect(entry: Entry<Message>, context: HandlerContext): Promise<void> {
  const { i } = entry.data
  const epoch = context.ownership!.epoch
  const output = outputOf(plan, i)
  await database.write(async (tx) => {
    if (fault !== 'no epoch check') await checkOwnership(tx, context.ownership!)
    if (isGivenUp(plan, i)) return note(tx, ORDERED, entry, epoch)
    if (!(await isNew(tx, ORDERED, entry))) return
    if (output === 'told') {
      await enqueue(tx, [eventOf(streams.told, entry.data)])
      tx.afterCommit(() => relay.nudge())
    }
    await note(tx, ORDERED, entry, epoch)
  })
  if (isGivenUp(plan, i)) giveUp(entry)
  if (output === 'said') await context.publish([eventOf(streams.said, entry.data)])
}

const isNew = (tx: Tx, group: string, { id }: Entry) =>
  fault === 'no inbox' ? true : firstTime(tx, group, id, systemClock.now())

const note = (tx: Tx, group: string, { data, partition, sequence, attempt }: Entry<Message>, epoch: number) =>
  effects.write(tx, {
    ...data,
    ...{ group, partition, sequence, epoch, attempt, worker: name },
    what: isGivenUp(plan, data.i) ? 'trial' : 'effect',
  })

function giveUp({ data }: Entry<Message>): void {
  if (kindOf(plan, data.i) === 'rejected') throw new Reject('it cannot succeed')
  throw new Error('it always fails')
}

/** What another server does not answer for now says nothing about the message. */
async function orLater(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    const isAway =
      isSluiceError(error) && /^(DATABASE_(BUSY|UNAVAILABLE)|REDIS_UNAVAILABLE|OVERLOADED)$/.test(error.code)
    throw isAway ? new RetryAfter(50, textOf(error)) : error
  }
}

/** The planted fault: the entry is acknowledged while its effect is still to come. */
function later(work: () => Promise<void>): void {
  void clock
    .sleep(100)
    .then(work)
    .catch(() => undefined)
}

/** A pause at the worst moment: every check that a client can make has passed, the transaction has not begun. */
async function halt({ data, partition }: Entry<Message>, { ownership }: HandlerContext): Promise<boolean> {
  if (!halting || kindOf(plan, data.i) !== 'plain') return false
  halting = false
  await new Promise((resolve) =>
    process.send!({ halted: data.i, partition, epoch: ownership!.epoch }, undefined, undefined, resolve),
  )
  process.kill(process.pid, 'SIGSTOP')
  return true
}

try {
  await runTasks([ordered, loose, relay.task], stop.signal)
  await bus.close()
  await database.close()
  process.disconnect?.()
} catch (error) {
  process.send!({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) }, () =>
    process.exit(1),
  )
}
