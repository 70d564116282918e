// What was sent and what handlers did with it, and the checkers over both. They are pure, so that each can be shown
// to find a fault; each answers what is wrong in words, and nothing when all is well.
import type { StreamStatus } from '../../src/bus/index.ts'

export interface Body {
  readonly key: string
  /** Counts the messages of a key from 0 on. */
  readonly n: number
  /** Says where the message belongs, so that a crossed one shows. */
  readonly text: string
}

export interface Letter extends Body {
  readonly stream: string
  readonly id: string
}

export interface Deed extends Letter {
  readonly group: string
  readonly partition: number
  /** The subscriber. */
  readonly by: string
  readonly what: 'begun' | 'done' | 'failed'
  readonly attempt: number
  /** Folds: the last `n` of the key that the state knows of. */
  readonly before?: number
}

export function letter(stream: string, key: string, n: number): Letter {
  const id = `${key}/${n}`
  return { stream, id, key, n, text: `${id} of ${stream}` }
}

const nameOf = ({ stream, id }: Letter) => `${stream} ${id}`
const laneOf = ({ stream, group, key }: Deed) => `${stream} ${group} ${key}`

/** Was sent and never done. */
export function lostOf(sent: readonly Letter[], deeds: readonly Deed[], group: string): string[] {
  const done = new Set(deeds.filter((deed) => deed.what === 'done' && deed.group === group).map(nameOf))
  return sent.filter((one) => !done.has(nameOf(one))).map((one) => `lost: ${nameOf(one)} for ${group}`)
}

/** Came and was not sent like that: to another stream, with another key or payload, or not at all. */
export function foreignOf(sent: readonly Letter[], deeds: readonly Deed[]): string[] {
  const known = new Map(sent.map((one) => [nameOf(one), one]))
  return deeds.flatMap((deed) => {
    const one = known.get(nameOf(deed))
    const isSame = one && one.key === deed.key && one.n === deed.n && one.text === deed.text
    return isSame ? [] : [`foreign: ${nameOf(deed)} as '${deed.text}' for ${deed.group}`]
  })
}

/** Done twice for one group, though no owner lost the partition. */
export function repeatedOf(deeds: readonly Deed[], wasLost: (deed: Deed) => boolean): string[] {
  const seen = new Set<string>()
  return deeds.flatMap((deed) => {
    if (deed.what !== 'done' || wasLost(deed)) return []
    const name = `${nameOf(deed)} for ${deed.group}`
    if (seen.has(name)) return [`repeated: ${name}`]
    seen.add(name)
    return []
  })
}

/** Begun before the ones in front of it of the same key were done. A repetition is in order. */
export function disorderedOf(deeds: readonly Deed[]): string[] {
  const next = new Map<string, number>()
  return deeds.flatMap((deed) => {
    const lane = laneOf(deed)
    const expected = next.get(lane) ?? 0
    if (deed.what === 'done' && deed.n === expected) next.set(lane, expected + 1)
    if (deed.what !== 'begun' || deed.n <= expected) return []
    return [`disordered: ${nameOf(deed)} for ${deed.group} when ${expected} was not done`]
  })
}

/** Two messages of one key at work for one group at the same time. */
export function overlappingOf(deeds: readonly Deed[], wasLost: (deed: Deed) => boolean): string[] {
  const atWork = new Map<string, string>()
  return deeds.flatMap((deed) => {
    if (wasLost(deed)) return []
    const lane = laneOf(deed)
    const other = atWork.get(lane)
    if (deed.what === 'begun') atWork.set(lane, deed.id)
    else atWork.delete(lane)
    return deed.what === 'begun' && other !== undefined ? [`overlapping: ${nameOf(deed)} and ${other}`] : []
  })
}

/** A fold's state that does not know exactly what came before the message. */
export function forgottenOf(deeds: readonly Deed[]): string[] {
  return deeds
    .filter(({ what, before, n }) => what === 'done' && before !== undefined && before !== n - 1)
    .map((deed) => `forgotten: the state knew ${deed.before} at ${nameOf(deed)}`)
}

/** Attempts that were not counted: one more for each failure of the message. */
export function miscountedOf(deeds: readonly Deed[]): string[] {
  const failures = new Map<string, number>()
  return deeds.flatMap((deed) => {
    const name = `${nameOf(deed)} for ${deed.group}`
    const expected = (failures.get(name) ?? 0) + 1
    if (deed.what === 'failed') failures.set(name, expected)
    if (deed.what !== 'begun' || deed.attempt === expected) return []
    return [`miscounted: attempt ${deed.attempt} of ${name} is number ${expected}`]
  })
}

/** What the stream itself says is left to do, was stored twice, or was given up. */
export function unsettledOf(sent: readonly Letter[], status: StreamStatus, dead = 0): string[] {
  const faults: string[] = []
  const stored = status.partitions.reduce((sum, { lastSequence }) => sum + lastSequence, 0)
  const count = sent.filter(({ stream }) => stream === status.stream).length
  if (stored !== count) faults.push(`stored: ${stored} entries of ${count} messages`)
  if (status.deadLetters !== dead) faults.push(`dead: ${status.deadLetters} letters instead of ${dead}`)
  for (const { partition, groups } of status.partitions) {
    for (const { group, pending, lag } of groups) {
      if (pending + lag > 0)
        faults.push(`unsettled: ${pending} pending, lag ${lag} in ${partition} for ${group}`)
    }
  }
  return faults
}
