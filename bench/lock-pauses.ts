// How often a job is executed twice when its holder stands still for ten times the life of its lock at seeded points
// of the critical section: `node bench/lock-pauses.ts [--points n] [--ttl ms] [--lanes n] [--seed s] [--json]`. The
// same program with our lock and fence, with our lock alone, with bare redlock, and as a job of BullMQ.
import { parseArgs } from 'node:util'
import { MODES } from '../test/locks/pause-program.ts'
import { stopHolders } from '../test/locks/pauses.ts'
import { startRedis } from '../test/support/redis.ts'

const { values: given } = parseArgs({
  options: {
    points: { type: 'string', default: '100' },
    ttl: { type: 'string', default: '100' },
    lanes: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
})
const options = {
  points: Number(given.points),
  ttlMs: Number(given.ttl),
  lanes: Number(given.lanes),
  seed: given.seed,
}

const redis = await startRedis()
try {
  for (const mode of MODES) {
    const verdict = await stopHolders({ ...options, mode, url: redis.url })
    const line = { what: 'stopped for 10 lifetimes', who: mode, ...verdict }
    const { doubles, missing, overtaken, points } = verdict
    process.stdout.write(
      given.json
        ? `${JSON.stringify(line)}\n`
        : `${mode.padEnd(10)} ${points} points  ${doubles} executed twice  ${missing} never  ${overtaken} by the rival\n`,
    )
  }
} finally {
  await redis.stop()
}
