// The bus on a real server holds what the suite asks of any. What is asserted stands in test/conformance, so that every
// implementation is asked the same, and the planted faults show that it can fail.
import { type OpenBus, openBus } from '../../src/bus/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { describeBus } from '../conformance/bus.ts'
import { describePlantedFaults } from '../conformance/bus-planted.ts'
import type { BusImplementation } from '../conformance/bus-trial.ts'
import { startRedis } from '../support/redis.ts'

// Long enough for a busy machine to renew a lease, short enough for partitions to change hands within a test. What a
// consumer without order holds is never silent here, so nothing waits for its visibility.
const LEASE_MS = 2_000
const VISIBILITY_MS = 10_000

async function start(mayRestart: boolean): Promise<BusImplementation> {
  // To sync every answer costs most of the time of the properties that kill no server.
  const redis = await startRedis(['--appendfsync', mayRestart ? 'always' : 'everysec'])
  return {
    open: (): OpenBus =>
      openBus({ url: redis.url, clock: systemClock, leaseMs: LEASE_MS, visibilityMs: VISIBILITY_MS }),
    restart: () => redis.restart(),
    close: () => redis.stop(),
  }
}

describeBus('Redis', start)
describePlantedFaults('Redis', start)
