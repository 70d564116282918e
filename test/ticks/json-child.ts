// Started by json.test.ts: writes ticks of the folder in lists and says after each how many are acknowledged. `from` and
// `step` in ms tell two of them apart. Ends at the first error and says it.

import { systemClock } from '../../src/kernel/index.ts'
import { openJsonTicks } from '../../src/ticks/json-ticks.ts'
import { tick } from './samples.ts'

const [dir, from, step, lists, size] = process.argv.slice(2)
const store = openJsonTicks({ dir: dir!, clock: systemClock })
for (let list = 0; list < Number(lists); list++) {
  const ticks = Array.from({ length: Number(size) }, (_, n) =>
    tick({ time: Number(from) + (list * Number(size) + n) * Number(step) }),
  )
  try {
    await store.write(ticks)
  } catch (error) {
    process.stdout.write(`${(error as { code?: string }).code}\n`)
    break
  }
  process.stdout.write(`${(list + 1) * Number(size)}\n`)
}
await store.close()
