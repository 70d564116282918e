// What happens to a batch when a store is away, refuses something, or the partition is lost.
import { describe, expect, it } from 'vitest'
import { type SettleOptions, settleAll } from '../../src/candles/keep-settled.ts'
import { type Clock, SluiceError, systemClock } from '../../src/kernel/index.ts'

/** Waits for nothing. */
const clock: Clock = { ...systemClock, sleep: async () => {} }
const away = () => new SluiceError('DATABASE_UNAVAILABLE', 'away')

function settling(write: (items: readonly number[], attempt: number) => void, lost = new AbortController()) {
  const said: string[] = []
  let attempts = 0
  const options: SettleOptions<number> = {
    clock,
    async write(items) {
      attempts += 1
      write(items, attempts)
      said.push(`wrote ${items.join(' ')}`)
    },
    onDelay: (reason) => said.push(`delayed: ${reason}`),
    onRefused: (item, reason) => said.push(`refused ${item}: ${reason}`),
  }
  const state: Record<string, number> = { a: 1, b: 2, c: 3 }
  return { state, said, run: () => settleAll(options)(state, lost.signal) }
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
    expect(said).toEqual(['delayed: away', 'delayed: away', 'wrote 1 2 3'])
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
    expect(said).toEqual(['delayed: away'])
    expect(state).toEqual({ a: 1, b: 2, c: 3 })
  })
})
