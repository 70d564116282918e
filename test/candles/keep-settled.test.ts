// What happens to a batch when a store is away, refuses something, or the partition is lost.
import { describe, expect, it } from 'vitest'
import { candleEmitter } from '../../src/candles/events.ts'
import { settleAll } from '../../src/candles/keep-settled.ts'
import { type Clock, SluiceError, systemClock } from '../../src/kernel/index.ts'

/** Waits for nothing. */
const clock: Clock = { ...systemClock, sleep: async () => {} }
const away = () => new SluiceError('DATABASE_UNAVAILABLE', 'away')

interface Item {
  readonly source: string
  readonly ticker: string
}

function settling(write: (items: readonly number[], attempt: number) => void, lost = new AbortController()) {
  const said: string[] = []
  let attempts = 0
  const events = candleEmitter()
  const waits = new Set<string>()
  events.on('delayed', ({ reason, wait }) => {
    waits.add(wait)
    said.push(`delayed: ${reason}`)
  })
  events.on('resumed', ({ wait }) => said.push(waits.delete(wait) ? 'resumed' : 'resumed without a delay'))
  events.on('unkept', ({ ticker, reason }) => said.push(`refused ${ticker}: ${reason}`))
  const settle = settleAll<Item>({
    ...{ clock, events, where: 'database' },
    async write(items) {
      attempts += 1
      write(
        items.map(({ ticker }) => Number(ticker)),
        attempts,
      )
      said.push(`wrote ${items.map(({ ticker }) => ticker).join(' ')}`)
    },
  })
  const item = (ticker: string): Item => ({ source: 's', ticker })
  const state: Record<string, Item> = { a: item('1'), b: item('2'), c: item('3') }
  return { state, said, waits, run: () => settle(state, lost.signal) }
}

describe('a batch', () => {
  it('is written together and is then no longer to be written', async () => {
    const { state, said, run } = settling(() => {})
    await run()
    await run()
    expect(said).toEqual(['wrote 1 2 3'])
    expect(state).toEqual({})
  })

  it('waits as a whole for a store that is away', async () => {
    const { state, said, run } = settling((_, attempt) => {
      if (attempt < 3) throw away()
    })
    await run()
    expect(said).toEqual(['delayed: away', 'delayed: away', 'wrote 1 2 3', 'resumed'])
    expect(state).toEqual({})
  })

  it('loses only what no attempt can write, and says so', async () => {
    const { state, said, run } = settling((items) => {
      if (items.includes(2)) throw new Error('bad')
    })
    await run()
    expect(said).toEqual(['wrote 1', 'refused 2: bad', 'wrote 3'])
    expect(state).toEqual({})
  })

  it('is kept for nobody when the partition is lost: whoever owns it now writes it', async () => {
    const lost = new AbortController()
    const { state, said, run } = settling(() => {
      lost.abort()
      throw away()
    }, lost)
    await run()
    expect(said).toEqual(['delayed: away', 'resumed'])
    expect(Object.keys(state)).toEqual(['a', 'b', 'c'])
  })
})
