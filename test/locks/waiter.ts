// A process of queue.test.ts: waits for a lock when told to, and says when it stands in the queue and with which token it
// worked.
import { lockNames } from '../../src/catalog/index.ts'
import { openDatabase } from '../../src/db/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { openLocks } from '../../src/locks/index.ts'

/** What the parent asks for. */
export interface WaitOrder {
  readonly resource: string
  readonly name: string
}
export type WaiterWord =
  | { readonly says: 'ready' }
  | { readonly says: 'waiting'; readonly resource: string }
  | { readonly says: 'worked'; readonly name: string; readonly token: number }

const { LOCK_URLS: urls = '', SQLITE_DB_PATH: path = '', PATIENCE_MS: patience = '' } = process.env
const database = openDatabase({ driver: 'sqlite', path, clock: systemClock })
const locks = openLocks({
  urls: urls.split(','),
  database,
  clock: systemClock,
  names: lockNames,
  patienceMs: Number(patience),
})
const say = (word: WaiterWord) => process.send!(word)

locks.events.on('waiting', ({ resource }) => say({ says: 'waiting', resource }))
process.on('message', async ({ resource, name }: WaitOrder) => {
  await locks.hold(resource, async ({ token }) => void say({ says: 'worked', name, token }), {
    waitMs: 60_000,
  })
})
process.once('disconnect', async () => {
  await locks.close()
  await database.close()
})
say({ says: 'ready' })
