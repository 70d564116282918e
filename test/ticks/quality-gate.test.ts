import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type GateOptions, openGate } from '../../src/ticks/gate.ts'
import { QUALITY_REASONS } from '../../src/ticks/quality-reason.ts'
import type { Tick } from '../../src/ticks/tick.ts'
import { readProjectFile } from '../rules/files.ts'

const NOW = 1_768_824_000_000
const DAY_MS = 86_400_000

/** Of the mid 100 with a spread of 0.02, at NOW. */
const tick = (more: Partial<Tick> = {}): Tick => ({
  ...{ symbol: 'S', source: 'a', time: NOW, nanos: 0, sequence: 0, bid: 99.99, ask: 100.01 },
  ...{ bidSize: undefined, askSize: undefined, volume: 0, flags: 0, broker: '' },
  ...more,
})
/** Ticks a second apart whose mids are these. */
const mids = (values: readonly number[], from = NOW): Tick[] =>
  values.map((mid, at) => tick({ time: from + at * 1_000, bid: mid - 0.01, ask: mid + 0.01 }))
const midOf = ({ bid, ask }: Tick) => Math.round((bid + ask) / 2)

const open = (options: Partial<GateOptions> = {}) => openGate({ live: true, jumpPct: 10, ...options })
const judge = (ticks: readonly Tick[], options?: Partial<GateOptions>) =>
  open(options).judge(ticks, NOW + 3_600_000)

describe('a tick by itself', () => {
  it.each([
    ['non_positive', { bid: 0 }],
    ['non_positive', { ask: -1 }],
    ['non_positive', { bid: 0, ask: 0 }],
    ['crossed', { bid: 100.02 }],
    ['wide_spread', { ask: 110.1 }],
    ['bad_number', { bid: Number.NaN }],
    ['bad_number', { ask: Number.POSITIVE_INFINITY }],
    ['future', { time: NOW + 60_001 }],
    ['too_old', { time: NOW - DAY_MS - 1 }],
  ])('is refused as %s when it is %j', (reason, more) => {
    const { accepted, refused } = open().judge([tick(more)], NOW)
    expect(accepted).toEqual([])
    expect(refused).toMatchObject([{ reason, tick: more }])
  })

  it.each([
    ['is locked', { bid: 100.01 }],
    ['has a spread of just 10 %', { bid: 100, ask: 110 }],
    ['is a minute ahead', { time: NOW + 60_000 }],
    ['is a day old', { time: NOW - DAY_MS }],
  ])('is accepted when it %s', (_, more) => {
    expect(open().judge([tick(more)], NOW).accepted).toHaveLength(1)
  })

  it('may be of any age in history, and has a clock all the same', () => {
    const { accepted, refused } = open({ live: false }).judge(
      [tick({ time: 1 }), tick({ time: NOW + 60_001 })],
      NOW,
    )
    expect(accepted).toHaveLength(1)
    expect(refused).toMatchObject([{ reason: 'future' }])
  })
})

describe('a repetition', () => {
  it('of the tick before it is refused, and nothing else that shares its time is', () => {
    const [a, b] = [tick(), tick({ ask: 100.02, sequence: 1 })]
    const other = tick({ source: 'b' })
    const { accepted, refused } = judge([a, { ...a, sequence: 1 }, b, other, b, a, { ...a, nanos: 1 }])
    expect(accepted).toEqual([a, b, other, a, { ...a, nanos: 1 }])
    expect(refused.map(({ reason }) => reason)).toEqual(['duplicate', 'duplicate'])
  })

  it('of a bad tick is as bad as the first', () => {
    const { refused } = judge([tick({ bid: 0 }), tick({ bid: 0 })])
    expect(refused.map(({ reason }) => reason)).toEqual(['non_positive', 'non_positive'])
  })
})

describe('a jump', () => {
  const told = (values: readonly number[]) => {
    const gate = open()
    const { accepted, refused } = gate.judge(mids(values), NOW + 3_600_000)
    return {
      accepted: accepted.map(midOf),
      refused: refused.map((one) => midOf(one.tick)),
      held: gate.held(),
    }
  }

  it('is held back, and refused when the market is where it was', () => {
    expect(told([100, 120])).toEqual({ accepted: [100], refused: [], held: 1 })
    expect(told([100, 120, 101])).toEqual({ accepted: [100, 101], refused: [120], held: 0 })
    expect(told([100, 120, 121, 122, 101])).toEqual({
      accepted: [100, 101],
      refused: [120, 121, 122],
      held: 0,
    })
  })

  it('is real when three agree with it: all four are accepted, in their order', () => {
    expect(told([100, 120, 121, 119])).toEqual({ accepted: [100], refused: [], held: 3 })
    expect(told([100, 120, 121, 119, 120, 118])).toEqual({
      accepted: [100, 120, 121, 119, 120, 118],
      refused: [],
      held: 0,
    })
  })

  it('to yet another level begins anew', () => {
    expect(told([100, 120, 150, 151, 149, 150])).toEqual({
      accepted: [100, 150, 151, 149, 150],
      refused: [120],
      held: 0,
    })
  })

  it('takes no tick with it that is near the level before', () => {
    expect(told([100, 111, 109, 100])).toEqual({ accepted: [100, 109, 100], refused: [111], held: 0 })
  })

  it('is none after a silence of more than a minute, which tells whether those held back were real', () => {
    const late = (mid: number) => {
      const gate = open()
      const ticks = [...mids([100, 120]), ...mids([mid], NOW + 60_001)]
      const { accepted, refused } = gate.judge(ticks, NOW + 3_600_000)
      return [accepted.map(midOf), refused.map((one) => midOf(one.tick)), gate.held()]
    }
    expect(late(121)).toEqual([[100, 120, 121], [], 0])
    expect(late(101)).toEqual([[100, 101], [120], 0])
    expect(late(150)).toEqual([[100, 150], [120], 0])
  })

  it('is not judged by a tick that comes late', () => {
    const gate = open()
    const late = [tick({ time: NOW - 1_000 }), tick({ time: NOW - 70_000, bid: 50, ask: 50 })]
    const { accepted, refused } = gate.judge(
      [...mids([100, 120]), ...late, ...mids([121, 119, 120], NOW + 2_000)],
      NOW,
    )
    expect(accepted.map(midOf)).toEqual([100, 100, 50, 120, 121, 119, 120])
    expect(refused).toEqual([])
  })

  it('that waits for too long, or for the end, is given up', () => {
    const gate = open()
    gate.judge(mids([100, 120]), NOW)
    expect(gate.giveUp(NOW + 1_000)).toEqual({ accepted: [], refused: [] })
    expect(gate.giveUp(NOW + 1_001).refused).toMatchObject([{ reason: 'jump', tick: { time: NOW + 1_000 } }])
    gate.judge(mids([120], NOW + 2_000), NOW)
    expect(gate.giveUp().refused).toHaveLength(1)
    expect(gate.held()).toBe(0)
  })

  it('is accepted at once where jumps are not looked for', () => {
    expect(judge(mids([100, 120, 5]), { jumpPct: 0 }).accepted).toHaveLength(3)
  })
})

const series = fc.record({
  symbol: fc.constantFrom('S', 'T'),
  step: fc.integer({ min: 0, max: 40_000 }),
  mid: fc.constantFrom(100, 101, 109, 111, 120, 121, 50, 0),
})
const stream = fc.array(series, { maxLength: 30 }).map((items) => {
  let time = NOW
  return items.map(({ symbol, step, mid }, at) => {
    time += step
    return tick({ symbol, time, sequence: at, bid: mid - 0.01, ask: mid + 0.01 })
  })
})

describe('the gate', () => {
  it('judges every tick once and keeps the order of each series', () => {
    fc.assert(
      fc.property(stream, (ticks) => {
        const gate = open({ live: false })
        const parts = [gate.judge(ticks, NOW * 2), gate.giveUp()]
        const accepted = parts.flatMap((part) => part.accepted)
        const refused = parts.flatMap((part) => part.refused)
        const all = [...accepted, ...refused.map((one) => one.tick)].map(({ sequence }) => sequence)
        expect(all.sort((a, b) => a - b)).toEqual(ticks.map(({ sequence }) => sequence))
        for (const symbol of ['S', 'T']) {
          const own = accepted.filter((one) => one.symbol === symbol).map(({ sequence }) => sequence)
          expect(own).toEqual([...own].sort((a, b) => a - b))
        }
      }),
    )
  })

  it('says the same when its state has gone through JSON at any point', () => {
    fc.assert(
      fc.property(stream, fc.nat(30), (ticks, at) => {
        const whole = open({ live: false })
        const expected = [whole.judge(ticks, NOW * 2), whole.giveUp()]
        const first = open({ live: false })
        const parts = [first.judge(ticks.slice(0, at), NOW * 2)]
        const state = JSON.parse(JSON.stringify(first.state()))
        const second = openGate({ live: false, jumpPct: 10 }, state)
        parts.push(second.judge(ticks.slice(at), NOW * 2), second.giveUp())
        const shown = (judged: typeof parts) =>
          JSON.stringify([judged.flatMap((part) => part.accepted), judged.flatMap((part) => part.refused)])
        expect(shown(parts)).toBe(shown(expected))
      }),
    )
  })

  it('remembers a bounded number of series and gives up what those held that it forgets', () => {
    const gate = open({ seriesMax: 16 })
    const first = gate.judge([...mids([100, 120]).map((one) => ({ ...one, symbol: 'old' }))], NOW)
    expect([first.accepted.length, gate.held()]).toEqual([1, 1])
    const many = Array.from({ length: 1_000 }, (_, at) => tick({ symbol: `S${at}` }))
    const { accepted, refused } = gate.judge(many, NOW)
    expect(accepted).toHaveLength(1_000)
    expect(refused).toMatchObject([{ reason: 'jump', tick: { symbol: 'old' } }])
    expect(gate.state().length).toBeLessThanOrEqual(16)
    expect(gate.state().at(-1)?.last.symbol).toBe('S999')
  })
})

describe('the reasons', () => {
  it('are those that docs/IMPORT.md explains', () => {
    const rows = [...readProjectFile('docs/IMPORT.md').matchAll(/^\| `([a-z_]+)` \| (.+) \|$/gm)]
    expect(Object.fromEntries(rows.map(([, reason, what]) => [reason, what]))).toEqual(QUALITY_REASONS)
  })
})
