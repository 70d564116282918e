// A process that adds ticks until it is killed, and says on its output which lists are confirmed (their first number,
// and how many of them were spilled): `node writer-child.ts <folder> <JSON of options>`.
import { writeSync } from 'node:fs'
import { systemClock } from '../../src/kernel/index.ts'
import { openTickWriter } from '../../src/ticks/writer.ts'
import { LIST, ticksFrom } from './spill-stage.ts'

const [, , dir, options] = process.argv
const writer = openTickWriter({ dir: dir!, clock: systemClock, ...JSON.parse(options!) })

for (let from = 0; ; from += LIST) {
  void writer.add(ticksFrom(from, LIST)).then(({ spilled }) => writeSync(1, `${from} ${spilled}\n`))
  await writer.ready()
  // Others have their turn, as in any process that reads its ticks from somewhere.
  await new Promise((resolve) => setImmediate(resolve))
}
