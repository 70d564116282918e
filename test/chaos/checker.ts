// The books of a chaos run: what the database, the streams and the dead letters hold, against what was published.
// Fed row by row, it keeps a byte or two for each message.
import {
  isForLoose,
  isGivenUp,
  LOOSE,
  lastAttemptOf,
  type Message,
  messageOf,
  numberOf,
  ORDERED,
  outputOf,
  type Plan,
} from './plan.ts'

/** What a handler wrote, in the order of the commits. A trial is the trace of an attempt that must fail. */
export interface Row extends Message {
  readonly place: number
  readonly group: string
  readonly what: 'effect' | 'trial'
  readonly partition: number
  /** Its place in the partition, counted by the stream. */
  readonly sequence: number
  readonly epoch: number
  readonly attempt: number
  readonly worker: string
}

export interface Buried extends Message {
  readonly group: string
  readonly entry: string
}

export interface Output extends Message {
  readonly stream: 'said' | 'told'
  readonly entry: string
}

export interface Standing {
  readonly group: string
  readonly partition: number
  readonly lag: number
  readonly pending: number
}

export const RULES = {
  lost: 'what is acknowledged has its effect',
  twice: 'an effect happens once',
  order: 'no message of a key passes the one in front of it',
  epoch: 'no effect under an old epoch',
  invented: 'nothing takes effect that was not published',
  buried: 'dead letters are those that cannot succeed, each once',
  outputs: 'outputs are those that follow from the effects, each once and in order',
  left: 'at the end nothing is pending and nothing lags',
  ended: 'no process ends by itself, and none refuses to go',
  refused: 'publish rejects only as its port says',
} as const

export type Rule = keyof typeof RULES

export interface Verdict {
  readonly rule: Rule
  readonly count: number
  /** The first of them. */
  readonly offences: readonly string[]
}

const SHOWN_MAX = 5

export interface Checker {
  row(row: Row): void
  buried(letter: Buried): void
  output(output: Output): void
  standing(standing: Standing): void
  offend(rule: Rule, what: string): void
  /** Every rule, kept or broken, once everything was fed. */
  verdicts(): Verdict[]
}

export function openChecker(plan: Plan): Checker {
  const found = new Map<Rule, { count: number; offences: string[] }>()
  const offend = (rule: Rule, what: string) => {
    const one = found.get(rule) ?? { count: 0, offences: [] }
    found.set(rule, one)
    one.count++
    if (one.offences.length < SHOWN_MAX) one.offences.push(what)
  }
  const isKnown = (rule: Rule, what: string, message: Message) => {
    const planned = messageOf(plan, message.i)
    const same = message.i >= 0 && message.i < plan.messages && Number.isInteger(message.i)
    if (same && planned.key === message.key && planned.n === message.n) return true
    offend(rule, `${what} of ${JSON.stringify(message)}, which nobody published`)
    return false
  }
  const effects = effectsIn(plan, offend, isKnown)
  const letters = lettersIn(plan, offend, isKnown)
  const outputs = outputsIn(plan, offend, isKnown)
  return {
    row: effects.row,
    buried: letters.buried,
    output: outputs.output,
    standing({ group, partition, lag, pending }) {
      if (lag !== 0 || pending !== 0) offend('left', `${group}/${partition}: lag ${lag}, pending ${pending}`)
    },
    offend,
    verdicts() {
      effects.finish()
      letters.finish()
      outputs.finish()
      return (Object.keys(RULES) as Rule[]).map((rule) => ({
        ...{ rule, count: 0, offences: [] },
        ...found.get(rule),
      }))
    },
  }
}

type Offend = (rule: Rule, what: string) => void
type IsKnown = (rule: Rule, what: string, message: Message) => boolean

const named = ({ i, key, n }: Message) => `${key}:${n} (message ${i})`
const inRow = ({ place, worker, epoch, partition, sequence }: Row) =>
  `row ${place}, entry ${partition}/${sequence}, by ${worker}, epoch ${epoch}`

function effectsIn(plan: Plan, offend: Offend, isKnown: IsKnown) {
  const done = { [ORDERED]: new Uint8Array(plan.messages), [LOOSE]: new Uint8Array(plan.messages) }
  /** The highest attempt of each message that must fail. */
  const tried = new Uint8Array(plan.messages)
  const epochs = new Map<number, Row>()
  const lastOfKey = new Map<string, number>()

  function checkEpoch(row: Row): void {
    const before = epochs.get(row.partition)
    if (before && row.epoch < before.epoch) {
      offend('epoch', `${named(row)}: ${inRow(row)}, after ${inRow(before)} in partition ${row.partition}`)
    } else epochs.set(row.partition, row)
  }

  /** Everything of the key between the last effect and this one must have come to its end before. */
  function checkOrder(row: Row): void {
    const last = lastOfKey.get(row.key) ?? -1
    if (row.n <= last) {
      if (done[ORDERED][row.i] === 0) offend('order', `${named(row)} after ${row.key}:${last}: ${inRow(row)}`)
      return
    }
    for (let n = last + 1; n < row.n; n++) {
      const between = messageOf(plan, numberOf(plan, row.key, n))
      const isOver = isGivenUp(plan, between.i) && tried[between.i]! >= lastAttemptOf(plan, between.i)
      if (!isOver) offend('order', `${named(row)} before ${named(between)}: ${inRow(row)}`)
    }
    lastOfKey.set(row.key, row.n)
  }

  return {
    row(row: Row): void {
      if (!isKnown('invented', `the ${row.what}`, row)) return
      if (row.group === ORDERED) checkEpoch(row)
      if (row.what === 'trial') {
        tried[row.i] = Math.max(tried[row.i]!, Math.min(row.attempt, 255))
        return
      }
      if (isGivenUp(plan, row.i)) offend('invented', `${named(row)} must fail and has an effect`)
      if (row.group === ORDERED) checkOrder(row)
      const counts = done[row.group as typeof ORDERED]
      counts[row.i] = Math.min(counts[row.i]! + 1, 255)
      if (counts[row.i] === 2) offend('twice', `${named(row)} in ${row.group}, again in ${inRow(row)}`)
    },
    finish(): void {
      for (let i = 0; i < plan.messages; i++) {
        if (isGivenUp(plan, i)) continue
        const missing = done[ORDERED][i] === 0 ? ORDERED : isForLoose(i) && done[LOOSE][i] === 0 ? LOOSE : ''
        if (missing) offend('lost', `${named(messageOf(plan, i))} has no effect in ${missing}`)
      }
    },
  }
}

function lettersIn(plan: Plan, offend: Offend, isKnown: IsKnown) {
  const counts = { [ORDERED]: new Uint8Array(plan.messages), [LOOSE]: new Uint8Array(plan.messages) }
  return {
    buried(letter: Buried): void {
      if (!isKnown('invented', 'the dead letter', letter)) return
      const isDue = isGivenUp(plan, letter.i) && (letter.group === ORDERED || isForLoose(letter.i))
      const where = `${named(letter)} in ${letter.group}: dead letter ${letter.entry}`
      if (!isDue) offend('buried', `${where} of a message that can succeed`)
      const of = counts[letter.group as typeof ORDERED]
      of[letter.i] = Math.min(of[letter.i]! + 1, 255)
      if (of[letter.i] === 2) offend('buried', `${where} is the second one`)
    },
    finish(): void {
      for (let i = 0; i < plan.messages; i++) {
        if (!isGivenUp(plan, i)) continue
        const name = named(messageOf(plan, i))
        if (counts[ORDERED][i] === 0) offend('buried', `${name} has no dead letter in ${ORDERED}`)
        if (isForLoose(i) && counts[LOOSE][i] === 0)
          offend('buried', `${name} has no dead letter in ${LOOSE}`)
      }
    },
  }
}

function outputsIn(plan: Plan, offend: Offend, isKnown: IsKnown) {
  const counts = new Uint8Array(plan.messages)
  const lastOfKey = new Map<string, number>()
  return {
    output(output: Output): void {
      const where = `${output.stream} ${output.entry}`
      if (!isKnown('outputs', where, output)) return
      if (outputOf(plan, output.i) !== output.stream) {
        offend('outputs', `${where}: ${named(output)} says nothing there`)
      }
      const count = counts[output.i]! + 1
      counts[output.i] = Math.min(count, 255)
      if (count === 2) offend('outputs', `${where}: ${named(output)} is said again`)
      const key = `${output.stream} ${output.key}`
      const last = lastOfKey.get(key) ?? -1
      if (count === 1 && output.n < last) offend('outputs', `${where}: ${named(output)} after :${last}`)
      lastOfKey.set(key, Math.max(last, output.n))
    },
    finish(): void {
      for (let i = 0; i < plan.messages; i++) {
        const stream = outputOf(plan, i)
        if (stream && counts[i] === 0)
          offend('outputs', `${named(messageOf(plan, i))} is missing in ${stream}`)
      }
    },
  }
}
