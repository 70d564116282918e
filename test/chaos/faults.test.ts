// The chaos run must be able to fail: each fault is planted in its workers, publishers or housekeeping, struck where it
// hurts, and found by the checker under the rule that it breaks.
import { expect, it } from 'vitest'
import { openPlace } from '../support/database.ts'
import type { Rule } from './checker.ts'
import type { Fault } from './processes.ts'
import { type ChaosOptions, runChaos } from './run.ts'

type Scene = Pick<ChaosOptions, 'messages' | 'strikes'> & Partial<ChaosOptions>

// Publishing as fast as they can, publishers are held back by partitions that are full: there is work at every strike,
// and batches that were taken in part are sent again.
const SMALL = { workers: 2, publishers: 1, replicas: 0, leaseMs: 400, gapMs: 150, messages: 500 } as const

const scenes: readonly [Fault, Rule, Scene][] = [
  ['ack before effect', 'lost', { ...SMALL, strikes: ['kill a worker'], strikesMax: 2 }],
  ['no inbox', 'twice', { ...SMALL, strikes: ['kill a worker'], strikesMax: 4 }],
  ['no epoch check', 'epoch', { ...SMALL, strikes: ['stop a worker before its effect'], strikesMax: 1 }],
  ['trim too far', 'lost', { ...SMALL, messages: 300, strikes: [] }],
  ['resend without id', 'twice', { ...SMALL, messages: 300, strikes: [] }],
]

/** A strike may miss: what it must meet lasts a few milliseconds. */
const ROUNDS_MAX = 4
// On a machine with much else to do; alone a round takes 3 to 5 s.
const TEST_MS = 180_000

it.each(scenes)(
  'finds %s: broken is "%s"',
  async (fault, rule, scene) => {
    for (let seed = 1; seed <= ROUNDS_MAX; seed++) {
      const { options, remove } = await openPlace('sqlite', { migrated: true })
      try {
        const { verdicts } = await runChaos({ ...scene, seed, fault, database: options })
        const found = verdicts.find((verdict) => verdict.rule === rule)
        if (seed < ROUNDS_MAX && found?.count === 0) continue
        expect(found).toMatchObject({
          rule,
          count: expect.any(Number),
          offences: expect.arrayContaining([expect.any(String)]),
        })
        return
      } finally {
        await remove()
      }
    }
  },
  TEST_MS,
)
