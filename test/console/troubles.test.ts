// What a worker says that it cannot do at present.
import { describe, expect, it } from 'vitest'
import { candleEmitter } from '../../src/candles/index.ts'
import { observe } from '../../src/console/index.ts'
import { openLog, systemClock } from '../../src/kernel/index.ts'
import { tickEmitter } from '../../src/ticks/index.ts'

const log = openLog({ level: 'silent', name: 'test' })

describe('what cannot be stored', () => {
  it('is told since its first failure, once for all who wait for it, and no more when the last of them goes on', () => {
    let now = 1_000
    const clock = { ...systemClock, now: () => now, monotonic: () => now }
    const candles = candleEmitter()
    const ticks = tickEmitter()
    const observed = observe({ candles, ticks }, { clock, log })
    const delay = (wait: string, reason: string) =>
      candles.emit('delayed', { where: 'database', wait, reason })
    const resume = (wait: string) => candles.emit('resumed', { where: 'database', wait })
    delay('keeper', 'locked')
    now = 2_000
    delay('aggregator', 'locked too')
    now = 5_000
    delay('keeper', 'full')
    const what = 'candles (database)'
    expect(observed.troubles()).toEqual([{ what, reason: 'full', since: 1_000, forMs: 4_000 }])
    resume('keeper')
    expect(observed.troubles()).toEqual([{ what, reason: 'locked too', since: 2_000, forMs: 3_000 }])
    ticks.emit('slow', { store: 'sqlite', wait: 'a', forMs: 3_000 })
    ticks.emit('unstored', { store: 'sqlite', wait: 'a', reason: 'x'.repeat(1_000), inMs: 100 })
    expect(observed.troubles()[1]).toEqual({
      ...{ what: 'ticks (sqlite)', reason: 'x'.repeat(300), since: 5_000, forMs: 0 },
    })
    ticks.emit('resumed', { store: 'sqlite', wait: 'a' })
    resume('aggregator')
    expect(observed.troubles()).toEqual([])
  })

  it('is a day that takes no ticks until the writer does not name it any more', () => {
    const ticks = tickEmitter()
    const observed = observe({ ticks }, { clock: systemClock, log })
    const health = (days: readonly string[], withoutThread = false) =>
      ticks.emit('health', {
        ...{ ok: days.length === 0, withoutThread, queued: 0, queueMax: 1, waiting: 0, inSpill: 0 },
        failing: days.map((day) => ({ day, code: 'x', reason: 'full', since: 1 })),
      })
    const named = () => observed.troubles().map(({ what }) => what)
    health(['2026-01-19', '2026-01-20'])
    health(['2026-01-20'], true)
    expect(named()).toEqual(['ticks of 2026-01-20', 'ticks'])
    health([])
    expect(named()).toEqual([])
    for (const day of Array.from({ length: 50 }, (_, n) => `day ${n}`)) {
      ticks.emit('kept', { path: day, count: 1, reason: 'damaged' })
    }
    expect(named()).toHaveLength(20)
  })
})
