import { describe, expect, it } from 'vitest'
import type { Clock } from '../../src/kernel/index.ts'
import { type FeedStep, type RecordingStep, replay } from '../../src/venues/index.ts'

/** Time passes only by sleeping. */
function manualClock(): Clock & { slept: number[] } {
  let elapsed = 0
  const slept: number[] = []
  return {
    slept,
    now: () => 5_000 + elapsed,
    monotonic: () => elapsed,
    sleep: async (ms) => {
      slept.push(ms)
      elapsed += ms
    },
  }
}

const step = (time: number, venue = 'EX1', rejected = false): RecordingStep => ({
  time,
  messages: rejected
    ? []
    : [
        {
          venue,
          board: 'BTC/BRL',
          simulated: false,
          quotes: [{ symbol: 'BTC/BRL', bids: [], asks: [], time }],
        },
      ],
  rejected: rejected ? [{ venue, symbol: 'BTC/BRL', where: 'x line 1', reason: 'crossed' }] : [],
})

const recordingOf = (steps: readonly RecordingStep[]) => ({
  async *steps() {
    yield* steps
  },
})

async function run(steps: readonly RecordingStep[], speed: number, signal = new AbortController().signal) {
  const clock = manualClock()
  const seen: { at: number; step: FeedStep }[] = []
  const summary = await replay(
    {
      recording: recordingOf(steps),
      speed,
      clock,
      publish: async (batch) => void seen.push(...batch.map((one) => ({ at: clock.monotonic(), step: one }))),
    },
    signal,
  )
  return { seen, summary, clock }
}

describe('a replay', () => {
  const steps = [step(1_000), step(2_000, 'EX2'), step(2_500, 'EX1', true), step(6_000)]

  it('hands everything over in order under recorded times, without waiting at speed 0', async () => {
    const { seen, summary, clock } = await run(steps, 0)
    expect(seen.map(({ step: s }) => [s.sequence, s.time])).toEqual([
      [1, 1_000],
      [2, 2_000],
      [3, 6_000],
      [4, 3_606_000],
    ])
    expect(clock.slept).toEqual([])
    expect(summary).toEqual({ steps: 3, messages: 3, rejected: 1, complete: true })
  })

  it('ends with a heartbeat of each venue one hour later', async () => {
    const { seen } = await run(steps, 0)
    expect(seen.at(-1)?.step.messages.map((m) => [m.venue, m.quotes])).toEqual([
      ['EX1', []],
      ['EX2', []],
    ])
  })

  it('keeps the recorded pace, times the speed', async () => {
    for (const speed of [1, 10]) {
      const { seen } = await run(steps, speed)
      expect(seen.slice(0, 3).map(({ at }) => at * speed)).toEqual([0, 1_000, 5_000])
    }
  })

  it('does not let a slow publisher stretch the recording', async () => {
    const clock = manualClock()
    const at: number[] = []
    await replay(
      {
        recording: recordingOf([step(0), step(100), step(200), step(1_000)]),
        speed: 1,
        clock,
        publish: async (batch) => {
          at.push(...batch.map(() => clock.monotonic()))
          if (at.length === 1) await clock.sleep(500)
        },
      },
      new AbortController().signal,
    )
    expect(at.slice(0, 4)).toEqual([0, 500, 500, 1_000])
  })

  it('stops when told, without a heartbeat, and says that it is not complete', async () => {
    const stop = new AbortController()
    const seen: FeedStep[] = []
    const endless = {
      async *steps() {
        for (let time = 1; ; time += 1) yield step(time)
      },
    }
    const summary = await replay(
      {
        recording: endless,
        speed: 0,
        clock: manualClock(),
        publish: async (batch) => {
          seen.push(...batch)
          if (seen.length >= 400) stop.abort()
        },
      },
      stop.signal,
    )
    expect(summary).toMatchObject({ steps: 400, complete: false })
    expect(seen.every((s) => s.messages[0]?.quotes.length === 1)).toBe(true)
  })

  it('ends with the error of a publisher that cannot go on', async () => {
    const failing = replay(
      {
        recording: recordingOf(steps),
        speed: 0,
        clock: manualClock(),
        publish: () => Promise.reject(new Error('away')),
      },
      new AbortController().signal,
    )
    await expect(failing).rejects.toThrow('away')
  })
})
