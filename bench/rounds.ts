// Compares contestants in one process run: every round runs each of them once, in an order that turns, so that a
// machine that grows slower or faster does it to all alike. What counts is the median, and the ratio of medians.

export interface Contestant {
  readonly name: string
  /** Does its work once; answers one figure. */
  readonly run: () => Promise<number>
}

export interface Standing {
  readonly name: string
  readonly median: number
  readonly least: number
  readonly most: number
}

/** One uncounted round first. `onRound` is for progress. */
export async function compete(
  contestants: readonly Contestant[],
  rounds: number,
  onRound: (round: number) => void = () => {},
): Promise<Standing[]> {
  const figures = new Map(contestants.map(({ name }) => [name, [] as number[]]))
  for (let round = -1; round < rounds; round++) {
    onRound(round)
    for (let i = 0; i < contestants.length; i++) {
      const { name, run } = contestants[(i + round + 1) % contestants.length]!
      const figure = await run()
      if (round >= 0) figures.get(name)!.push(figure)
    }
  }
  return contestants.map(({ name }) => {
    const sorted = figures.get(name)!.sort((a, b) => a - b)
    return { name, median: medianOf(sorted), least: sorted[0]!, most: sorted.at(-1)! }
  })
}

/** The middle of a sorted list, or the mean of the two in the middle. */
export function medianOf(sorted: readonly number[]): number {
  const half = sorted.length / 2
  return Number.isInteger(half) ? (sorted[half - 1]! + sorted[half]!) / 2 : sorted[Math.floor(half)]!
}
