// Books one record of the stream `insights.records`. What it changes, the inbox row that makes it happen once and the
// message that drops cached answers stand in one transaction.
import { enqueueTell, firstTime } from '../bus/index.ts'
import { encodeDrops } from '../cache/index.ts'
import { CACHE_DROPS, INSIGHT_DROPS, type InsightRecord, type MessageRecord } from '../catalog/index.ts'
import type { Tx } from '../db/index.ts'
import { insertMessages, writeRecord } from './store.ts'

export const INSIGHTS_GROUP = 'insights'

/** `older`: what is kept is newer by its own time. */
export type Booked = 'booked' | 'duplicate' | 'older'

/**
 * @param takenAt when Redis took the record, ms UTC: the inbox forgets by it, and a record may be of last year.
 */
export async function bookRecord(
  tx: Tx,
  eventId: string,
  takenAt: number,
  record: InsightRecord,
): Promise<Booked> {
  if (!(await firstTime(tx, INSIGHTS_GROUP, eventId, Math.floor(takenAt)))) return 'duplicate'
  if (record.kind === 'message') {
    return (await bookMessages(tx, [record])).length > 0 ? 'booked' : 'duplicate'
  }
  if (!(await writeRecord(tx, record))) return 'older'
  const drop = dropOf(record)
  if (drop) await enqueueTell(tx, CACHE_DROPS, encodeDrops([drop]))
  return 'booked'
}

/** Answers those that were new. */
export async function bookMessages(tx: Tx, messages: readonly MessageRecord[]): Promise<MessageRecord[]> {
  const fresh = await insertMessages(tx, messages)
  const models = [...new Set(fresh.map(({ model }) => model))]
  const drops = models.map((model) => INSIGHT_DROPS.message({ model }))
  if (drops.length > 0) await enqueueTell(tx, CACHE_DROPS, encodeDrops(drops))
  return fresh
}

function dropOf(record: Exclude<InsightRecord, MessageRecord>) {
  switch (record.kind) {
    case 'decision':
      return INSIGHT_DROPS.decision(record)
    case 'score':
      return INSIGHT_DROPS.score()
    case 'levels':
      return INSIGHT_DROPS.levels(record)
    default:
      return undefined
  }
}
