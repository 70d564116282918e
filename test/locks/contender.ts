// A process of locks.test.ts: takes one lock again and again and notes whenever it was not alone in it.
import { lockNames } from '../../src/catalog/index.ts'
import { openDatabase } from '../../src/db/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { openLocks } from '../../src/locks/index.ts'
import { closeRedis, connectRedis, ready } from '../../src/redis/index.ts'

const {
  LOCK_URL: url = '',
  SQLITE_DB_PATH: path = '',
  ROUNDS: rounds = '0',
  COUNTERS: name,
  OWN_LOCK: own,
} = process.env
const database = openDatabase({ driver: 'sqlite', path, clock: systemClock })
const locks = openLocks({ urls: [url], database, clock: systemClock, names: lockNames })
const client = connectRedis(url, 'writer')
await ready(client)
// Both begin together, or a fast one is done before the other has started.
await client.incr(`${name}:ready`)
while ((await client.get(`${name}:ready`)) !== '2') await systemClock.sleep(5)

for (let round = 0; round < Number(rounds); round++) {
  const result = await locks.hold(
    own === undefined ? 'contended' : `contended:${process.pid}`,
    async () => {
      if ((await client.incr(`${name}:inside`)) !== 1) await client.incr(`${name}:overlaps`)
      // With a lock of its own each, the first turn lasts until both have been in it: nothing is left to chance.
      while (own !== undefined && (await client.get(`${name}:overlaps`)) === null) await systemClock.sleep(5)
      await client.incr(`${name}:turns`)
      await client.decr(`${name}:inside`)
    },
    { waitMs: 30_000 },
  )
  if (!result.held) process.exitCode = 1
}
await locks.close()
await database.close()
await closeRedis(client)
