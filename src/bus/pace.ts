// How much a consumer without order reads at once. What it reads is withheld from the others until it is handled, so a
// slow one takes no more than it can begin; one that ends a batch while the next is fetched takes more, because batches
// decide throughput.
const COUNT_MAX = 200

export interface Pace {
  /** Entries to read next. */
  count(): number
  /** It has ended at least as many since the last read as it can work on at once. */
  isFast(): boolean
  /** An entry came to its end. */
  ended(): void
}

export function openPace(concurrency: number): Pace {
  let sinceRead = 0
  let before = 0
  return {
    count() {
      before = sinceRead
      sinceRead = 0
      return Math.min(Math.max(concurrency, before * 2), Math.max(concurrency, COUNT_MAX))
    },
    isFast: () => before + sinceRead >= concurrency,
    ended() {
      sinceRead++
    },
  }
}
