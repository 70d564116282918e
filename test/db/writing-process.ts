// Started by sqlite-processes.test.ts. `count <n>` raises a token n times and prints each one that is committed;
// `hold` writes, says so, and never ends its transaction.
import { openDatabase, sql, type Tx } from '../../src/db/index.ts'
import { readConfig, systemClock } from '../../src/kernel/index.ts'

const [mode, times] = process.argv.slice(2)
const database = openDatabase({ driver: 'sqlite', path: readConfig().SQLITE_DB_PATH, clock: systemClock })

const raise = async ({ sql: q, t }: Tx) => {
  const [row] = await q
    .insert(t.fences)
    .values({ resource: 'shared', token: 1, holder: mode! })
    .onConflictDoUpdate({ target: t.fences.resource, set: { token: sql`${t.fences.token} + 1` } })
    .returning()
  return row!.token
}

if (mode === 'hold') {
  await database.write(async (tx) => {
    await raise(tx)
    process.stdout.write('held\n')
    process.stdin.resume()
    await new Promise(() => undefined)
  })
}
for (let turn = 0; turn < Number(times); turn++) {
  process.stdout.write(`${await database.write(raise)}\n`)
}
await database.close()
