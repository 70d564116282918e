// What the cache has done since it was opened.
export interface Counts {
  memoryHits: number
  redisHits: number
  /** Callers that waited for a load another one in this process had begun. */
  joined: number
  /** Looks at an answer that another process was loading. */
  waits: number
  loads: number
  /** Loads of an answer that others were given meanwhile, or that would soon have ended. */
  refreshed: number
  /** Answers past their lifetime, within their grace, given while a new one was loaded. */
  oldGiven: number
  /** Answers past the level in Redis, because it did not answer. */
  bypassed: number
  /** Answers past the memory, because drops were not known to arrive. */
  unheard: number
  /** Answers not stored because they were dropped while loading. */
  refused: number
  dropped: number
  flushes: number
  /** Flushes because drops had been missed. */
  gaps: number
}

/** What was done between two moments. */
export const countsBetween = (before: Counts, after: Counts): Counts => {
  const done = noCounts()
  for (const name of Object.keys(done) as (keyof Counts)[]) done[name] = after[name] - before[name]
  return done
}

export const noCounts = (): Counts => ({
  ...{ memoryHits: 0, redisHits: 0, joined: 0, waits: 0, loads: 0, refreshed: 0, oldGiven: 0 },
  ...{ bypassed: 0, unheard: 0, refused: 0, dropped: 0, flushes: 0, gaps: 0 },
})
