// The checker of what several owners did to one stream, given in the order in which it happened.
export interface Effect {
  /** The owner: a worker under one epoch. */
  readonly name: string
  readonly key: string
  readonly n: number
}

/**
 * What is wrong with the effects. At least once: every number of every key is there. In order: a number is done only
 * when the one in front of it was done, and no owner goes back. One owner: after another owner has gone further, a
 * former one adds at most the entry that it had under way, until it owns the key again.
 */
export function faultsOf(effects: readonly Effect[], keys: readonly string[], each: number): string[] {
  return keys.flatMap((key) =>
    faultsOfKey(
      effects.filter((effect) => effect.key === key),
      key,
      each,
    ),
  )
}

function faultsOfKey(effects: readonly Effect[], key: string, each: number): string[] {
  const faults: string[] = []
  const lastOf = new Map<string, number>()
  const owners = new Set<string>()
  /** Effects of an owner since another one took its place. */
  const after = new Map<string, number>()
  let done = -1
  let owner: string | undefined
  for (const { name, n } of effects) {
    const last = lastOf.get(name)
    if (n > done + 1) faults.push(`${key}: ${name} did ${n} when ${done + 1} was not done`)
    if (last !== undefined && n < last) faults.push(`${key}: ${name} went back from ${last} to ${n}`)
    if (n > done || owner === undefined) {
      if (owner !== undefined && owner !== name) after.set(owner, 0)
      owner = name
      owners.add(name)
      after.delete(name)
    } else if (name !== owner) {
      const times = (after.get(name) ?? -1) + 1
      after.set(name, times)
      // A new owner repeats what was not acknowledged before it comes to what is new.
      if (owners.has(name) && times > 1) faults.push(`${key}: ${name} went on after ${owner} had taken over`)
    }
    lastOf.set(name, n)
    done = Math.max(done, n)
  }
  for (let n = 0; n < each; n++)
    if (!effects.some((effect) => effect.n === n)) faults.push(`${key}: ${n} is missing`)
  return faults
}
