// Every tick store keeps what the port promises, and stores that do not are caught.
import { describe, expect, it } from 'vitest'
import { type Property, TICK_PROPERTIES } from './conformance.ts'
import { type Fault, openModel, type Shelf } from './model.ts'

const FAULTS: readonly Fault[] = [
  'drops ticks of one time',
  'drops ticks of one millisecond',
  'keeps the first content of a key',
  'keeps the last content of a key',
  'counts duplicates as stored',
  'stores duplicates',
  'orders by price',
  'orders by arrival',
  'orders sources by UTF-16',
  'loses nanoseconds',
  'rounds prices',
  'loses the sign of zero',
  'takes unknown sizes for zero',
  'drops the broker',
  'includes the end of a range',
  'ignores the source',
  'gives the newest first',
  'gives the oldest as recent',
  'continues behind the time',
  'files late ticks under the day of arrival',
  'forgets when it is closed',
  'reads what it had when it was opened',
  'stores what came before a wrong tick',
  'throttles',
]

function inMemory(fault?: Fault) {
  const shelf: Shelf = { ticks: [] }
  return { open: async () => openModel(shelf, fault) }
}

/** The cheapest that fails; the store of 20,000 ticks is for real ones. */
async function firstBroken(fault: Fault): Promise<string | undefined> {
  const asked = TICK_PROPERTIES.filter(({ says }) => !says.includes('20,000'))
  for (const { says, hold } of asked) {
    const broken = await hold(inMemory(fault)).then(
      () => false,
      () => true,
    )
    if (broken) return says
  }
  return undefined
}

describe('a faulty tick store', () => {
  it.each(FAULTS)('that %s is caught', async (fault) => {
    expect(await firstBroken(fault)).toBeDefined()
  })
})

describe('a tick store in memory', () => {
  const asked: readonly Property[] = TICK_PROPERTIES.filter(({ says }) => !says.includes('20,000'))
  it.each(asked)('$says', async ({ hold }) => {
    await expect(hold(inMemory())).resolves.toBeUndefined()
  })
})
