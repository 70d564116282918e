// Calls that are made in one turn of the loop, by whoever, become one.

export interface Room<C> {
  /** Calls of different groups go apart. */
  groupOf(call: C): string
  sizeOf(call: C): number
  /** How much goes in one call; what is larger goes alone. */
  readonly max: number
}

interface Gathered<C, A> {
  readonly calls: C[]
  size: number
  readonly answers: Promise<readonly A[]>
}

/**
 * @param run answers its calls in their order, or rejects for all of them.
 * @returns answers one call, which is sent when the present turn has ended.
 */
export function gatherCalls<C, A>(
  { groupOf, sizeOf, max }: Room<C>,
  run: (calls: readonly C[]) => Promise<readonly A[]>,
): (call: C) => Promise<A> {
  const open = new Map<string, Gathered<C, A>>()

  const begin = (group: string): Gathered<C, A> => {
    const { promise, resolve } = Promise.withResolvers<readonly A[]>()
    const gathered: Gathered<C, A> = { calls: [], size: 0, answers: promise }
    open.set(group, gathered)
    process.nextTick(() => {
      if (open.get(group) === gathered) open.delete(group)
      resolve(run(gathered.calls))
    })
    return gathered
  }
  return async (call) => {
    const group = groupOf(call)
    const size = sizeOf(call)
    let gathered = open.get(group)
    if (!gathered || gathered.size + size > max) gathered = begin(group)
    gathered.size += size
    const at = gathered.calls.push(call) - 1
    return (await gathered.answers)[at]!
  }
}
