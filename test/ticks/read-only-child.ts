// Started by read-only.test.ts as a user who may write nothing, with a folder of ticks: reads it each time that it is
// told to by a line, and prints what there is, or the code of what failed.
import { createInterface } from 'node:readline'
import { isSluiceError, messageOf, systemClock } from '../../src/kernel/index.ts'
import { openTickArchive } from '../../src/ticks/archive.ts'
import { openSqliteTicks } from '../../src/ticks/sqlite-ticks.ts'
import { DAY } from './day-file-ticks.ts'

const [dir] = process.argv.slice(2) as [string]
const store = openSqliteTicks({ dir, clock: systemClock })
for await (const symbol of createInterface({ input: process.stdin })) {
  try {
    const ticks = await store.recent(symbol, 1_000)
    const series = await store.series()
    const archive = openTickArchive({ dir, clock: systemClock })
    const { problems } = archive.verify(DAY)
    archive.close()
    const counted = series.reduce((sum, { ticks }) => sum + ticks, 0)
    console.log(JSON.stringify({ ticks: ticks.length, counted, problems }))
  } catch (error) {
    console.log(JSON.stringify({ code: isSluiceError(error) && error.code, message: messageOf(error) }))
  }
}
await store.close()
