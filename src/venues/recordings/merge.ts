// Several ordered sources as one, holding one item of each.

/** Ties go to the source that stands first. Closes every source, also when one fails or the reader stops early. */
export async function* mergeOrdered<T>(
  sources: readonly AsyncGenerator<T>[],
  isBefore: (a: T, b: T) => boolean,
): AsyncGenerator<T> {
  try {
    const heads = await Promise.all(sources.map(async (source) => ({ source, head: await source.next() })))
    for (;;) {
      let first: (typeof heads)[number] | undefined
      let item: T | undefined
      for (const candidate of heads) {
        if (candidate.head.done) continue
        if (first && !isBefore(candidate.head.value, item as T)) continue
        first = candidate
        item = candidate.head.value
      }
      if (!first) return
      yield item as T
      first.head = await first.source.next()
    }
  } finally {
    await Promise.all(sources.map((source) => source.return(undefined)))
  }
}
