import { expect, it } from 'vitest'
import { systemClock } from '../../src/kernel/index.ts'
import { tickEmitter } from '../../src/ticks/index.ts'
import { retrying } from '../../src/ticks/retrying.ts'
import { eventually } from '../support/eventually.ts'

it('says that a store gives no answer, and that it gave one after all', async () => {
  const events = tickEmitter()
  const said: string[] = []
  for (const kind of ['slow', 'unstored', 'resumed'] as const) {
    events.on(kind, ({ store }: { store: string }) => void said.push(`${kind} ${store}`))
  }
  const answered = Promise.withResolvers<void>()
  const { signal } = new AbortController()
  const done = retrying({ clock: systemClock, events, name: 'disk' }, signal, () => answered.promise)
  await eventually(() => said.length > 0)
  expect(said).toEqual(['slow disk'])
  answered.resolve()
  await done
  expect(said).toEqual(['slow disk', 'resumed disk'])
})

it('says nothing of a store that answers', async () => {
  const events = tickEmitter()
  let said = 0
  for (const kind of ['slow', 'unstored', 'resumed'] as const) events.on(kind, () => void said++)
  const { signal } = new AbortController()
  await retrying({ clock: systemClock, events, name: 'disk' }, signal, async () => {})
  expect(said).toBe(0)
})
