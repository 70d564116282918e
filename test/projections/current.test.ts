// A family is as current as the source of it that was current longest ago.
import { expect, it } from 'vitest'
import { projectionEmitter } from '../../src/catalog/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { type FamilySource, openCurrent } from '../../src/projections/current.ts'

const source = (...families: FamilySource['families']): FamilySource => ({
  ...{ name: families.join(), families, rebuild: async () => true, keep: async () => {} },
})

it('a family is told when all its sources were current, with the time of the oldest', () => {
  const [books, tables] = [source('nof0'), source('nof0', 'market')]
  let now = 0
  const told: string[] = []
  const events = projectionEmitter()
  events.on('current', ({ family, at }) => void told.push(`${family} ${at}`))
  const tell = openCurrent([books, tables], { events, clock: { ...systemClock, now: () => ++now } })
  tell(books)
  expect(told.splice(0)).toEqual([])
  tell(tables)
  expect(told.splice(0)).toEqual(['nof0 1', 'market 2'])
  tell(tables)
  expect(told.splice(0)).toEqual(['nof0 1', 'market 3'])
  tell(books)
  expect(told.splice(0)).toEqual(['nof0 3'])
})
