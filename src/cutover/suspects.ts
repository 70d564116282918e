// Which records have differed in every look so far. Few are remembered, all are counted: behind the last one that could be
// remembered, whatever differs again counts.

// Keys of all parts together; about 100 bytes each.
const REMEMBERED_MAX = 100_000

interface PartSuspects {
  readonly keys: Set<string>
  /** The last remembered key, when not all could be. */
  cut: string | undefined
}

export interface Suspects {
  /** Begins another look; what did not differ in the last one is cleared of suspicion. */
  nextLook(): void
  /** Whether the record has differed in each look up to this one. */
  add(part: string, key: string): boolean
  /** Has differed in this look or, before `nextLook`, in the last one. */
  has(part: string): boolean
  /** In this look. */
  count(): number
}

export function openSuspects(rememberedMax = REMEMBERED_MAX): Suspects {
  let before: Map<string, PartSuspects> | undefined
  let now = new Map<string, PartSuspects>()
  let found = 0
  let remembered = 0

  return {
    nextLook() {
      before = now
      now = new Map()
      found = 0
      remembered = 0
    },
    add(part, key) {
      const last = before?.get(part)
      if (before && !last?.keys.has(key) && !(last?.cut !== undefined && key > last.cut)) return false
      found++
      const mine = now.get(part) ?? { keys: new Set(), cut: undefined }
      now.set(part, mine)
      if (mine.cut !== undefined) return true
      if (remembered < rememberedMax) {
        mine.keys.add(key)
        remembered++
      } else mine.cut = [...mine.keys].at(-1) ?? ''
      return true
    },
    has: (part) => now.has(part),
    count: () => found,
  }
}
