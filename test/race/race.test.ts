// A short race in the suite; `npm run race` runs a million operations and takes rules out.
import { expect, it } from 'vitest'
import { HEARTBEAT_MS } from './caches.ts'
import { runRace } from './run.ts'

it('leaves no answer wrong after a second of silence, and none older than a heartbeat and 100 ms', async () => {
  const race = { operations: 40_000, rounds: 2, processes: 3, keys: 20, seed: 2_611 }
  const { wrong, checked, stale } = await runRace({ cache: 'sluice', ...race, onRound: () => undefined })
  expect({ wrong, checked }).toEqual({ wrong: 0, checked: 120 })
  expect(stale?.ms ?? 0).toBeLessThanOrEqual(HEARTBEAT_MS + 100)
})
