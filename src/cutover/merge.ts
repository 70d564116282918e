// Two ordered sequences of records side by side: which are in one only, and which differ. Constant memory.
import { SluiceError } from '../kernel/index.ts'
import type { CanonicalRecord } from './feature.ts'
import type { Side } from './phase.ts'
import type { Difference } from './runs.ts'

const TOLD_EVERY = 10_000

type Pages = AsyncIterable<readonly CanonicalRecord[]>

export interface MergeListener {
  /** In the order of the keys. */
  onDifference(difference: Difference): void
  /** So many keys more were seen; told at the end of a page, and awaited. */
  onRecords(count: number): Promise<void>
}

export async function mergeRecords(
  legacy: Pages,
  current: Pages,
  { onDifference, onRecords }: MergeListener,
): Promise<void> {
  const [one, other] = [openCursor(legacy, 'legacy'), openCursor(current, 'current')]
  try {
    await Promise.all([one.load(), other.load()])
    let sinceTold = 0
    while (one.record || other.record) {
      const [a, b] = [one.record, other.record]
      const isFirst = a !== undefined && (b === undefined || a.key <= b.key)
      const isSecond = b !== undefined && (a === undefined || b.key <= a.key)
      const values = { legacy: isFirst ? a.value : null, current: isSecond ? b.value : null }
      if (values.legacy !== values.current) onDifference({ key: (isFirst ? a : b!).key, ...values })
      if (isFirst) one.step()
      if (isSecond) other.step()
      sinceTold++
      // Awaited only when a page is used up: once a record would cost more than the comparison.
      if (!one.isUsedUp() && !other.isUsedUp() && sinceTold < TOLD_EVERY) continue
      await onRecords(sinceTold)
      sinceTold = 0
      await Promise.all([one.load(), other.load()])
    }
    await onRecords(sinceTold)
  } finally {
    await Promise.all([one.close(), other.close()])
  }
}

function openCursor(pages: Pages, side: Side) {
  const iterator = pages[Symbol.asyncIterator]()
  let page: readonly CanonicalRecord[] = []
  let at = 0
  let last: string | undefined
  let isOver = false
  const cursor = {
    /** Undefined at the end of a page, and at the end of all. */
    record: undefined as CanonicalRecord | undefined,
    step() {
      at++
      show()
    },
    isUsedUp: () => !isOver && at >= page.length,
    /** The next page, when this one is used up. */
    async load() {
      while (!isOver && at >= page.length) {
        const next = await iterator.next()
        if (next.done) isOver = true
        else [page, at] = [next.value, 0]
      }
      show()
    },
    async close() {
      if (!isOver) await iterator.return?.()
    },
  }
  function show(): void {
    const record = page[at]
    if (record && record !== cursor.record) {
      // Out of order everything behind would seem to be missing.
      if (last !== undefined && record.key <= last) throw outOfOrder(side, last, record.key)
      last = record.key
    }
    cursor.record = record
  }
  return cursor
}

const outOfOrder = (side: Side, last: string, key: string) =>
  new SluiceError('INTERNAL', `The ${side} store gave ${key} behind ${last}: its records are not in order.`, {
    side,
    key,
  })
