// Started by tests of the files of days, with a folder. `write <lists>` writes lists of the feed of samples.ts until it
// has written so many, and prints what became of each; `archive` compresses and restores the day until it is killed.
import { systemClock } from '../../src/kernel/index.ts'
import { openTickArchive } from '../../src/ticks/archive.ts'
import { openSqliteTicks } from '../../src/ticks/sqlite-ticks.ts'
import { DAY, LIST, manyTicks } from './day-file-ticks.ts'

const [dir, mode, lists] = process.argv.slice(2) as [string, string, string]

if (mode === 'write') {
  const store = openSqliteTicks({ dir, clock: systemClock })
  const ticks = manyTicks(Number(lists) * LIST)
  for (let at = 0; at < ticks.length; at += LIST) {
    const { stored, duplicate } = await store.write(ticks.slice(at, at + LIST))
    process.stdout.write(`${stored} ${duplicate}\n`)
  }
  await store.close()
} else {
  const archive = openTickArchive({ dir, clock: systemClock })
  for (;;) {
    archive.compress(DAY)
    archive.restore(DAY)
    process.stdout.write('round\n')
  }
}
