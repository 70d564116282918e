// A process of its own that writes candles into a folder: `node writing-csv.ts <folder> <ticker> <first> <count> <times>`,
// and then stands still while it holds the folder when `times` is 0.
import { openCsvCandles } from '../../src/candles/csv-candles.ts'
import { openFolderLock } from '../../src/candles/csv-lock.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { barsFrom } from './store-bars.ts'

const [dir, ticker, first, count, times] = process.argv.slice(2) as [string, string, string, string, string]
if (times === '0') {
  await openFolderLock(dir, systemClock, 0).hold(async () => {
    process.stdout.write('held\n')
    await systemClock.sleep(60_000)
  })
}
const store = openCsvCandles({ dir, clock: systemClock, lockMs: 20_000 })
for (let i = 0; i < Number(times); i++) {
  await store.write(barsFrom(Number(first) + i * Number(count), Number(count), { ticker }))
}
await store.close()
