// The effect of an entry in the database, as handlers of all contexts write it.
import { type Database, isPassing, type Tx } from '../db/index.ts'
import { messageOf } from '../kernel/index.ts'
import { type Ownership, RetryAfter } from './bus.ts'
import { checkOwnership } from './check-ownership.ts'

const RETRY_MS = 500

/**
 * Runs `work` in one transaction. With an ownership a worker that was paused past its lease writes nothing any more
 * (OWNERSHIP_LOST). A failure that ends by itself is RetryAfter: the database comes back or it does not, and giving the
 * entry up meanwhile would lose it (a full disk of half a minute used up all attempts).
 */
export async function writeEffect<T>(
  database: Database,
  ownership: Ownership | undefined,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  try {
    return await database.write(async (tx) => {
      if (ownership) await checkOwnership(tx, ownership)
      return work(tx)
    })
  } catch (error) {
    throw isPassing(error) ? new RetryAfter(RETRY_MS, messageOf(error)) : error
  }
}
