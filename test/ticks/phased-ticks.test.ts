import { expect, it } from 'vitest'
import { sameTicks } from '../../src/ticks/phased-ticks.ts'
import type { Tick } from '../../src/ticks/tick.ts'
import { tickOf, ticksFrom } from './spill-stage.ts'

it('answers of two stores are the same when every field of every tick is, and not otherwise', () => {
  const ticks = ticksFrom(0, 50)
  expect(sameTicks(ticks, ticksFrom(0, 50))).toBe(true)
  expect(sameTicks([], [])).toBe(true)
  expect(sameTicks(ticks, ticks.slice(1))).toBe(false)
  expect(sameTicks(ticks.slice(1), ticks)).toBe(false)
  const others: Record<keyof Tick, Tick[keyof Tick]> = {
    ...{ symbol: 'S', source: 'S', time: 1, nanos: 1, sequence: 1, bid: 1.5, ask: 1.5 },
    ...{ bidSize: undefined, askSize: 0, volume: -0, flags: 7, broker: 'b' },
  }
  const last = tickOf(49, { volume: 0 })
  const endingWith = (one: Tick) => [...ticks.slice(0, -1), one]
  expect(sameTicks(endingWith(last), endingWith({ ...last }))).toBe(true)
  for (const [field, other] of Object.entries(others)) {
    expect(sameTicks(endingWith(last), endingWith({ ...last, [field]: other })), field).toBe(false)
  }
})
