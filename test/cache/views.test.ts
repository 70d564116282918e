// The cache against a real Redis: each case is a way in which plain caches keep a wrong answer.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { isSluiceError } from '../../src/kernel/index.ts'
import { closeRedis, connectRedis, type Redis } from '../../src/redis/index.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { CHANNEL, type OpenViews, openProcess, plantFault, prices } from './support.ts'

let redis: TestRedis
let admin: Redis
const closers: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  redis = await startRedis()
  admin = connectRedis(redis.url, 'jobs')
})
afterAll(async () => {
  await closeRedis(admin)
  await redis.stop()
})
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

async function servingProcess(options: Parameters<typeof openProcess>[1] = {}) {
  const process = openProcess(redis.url, options)
  closers.push(process.close)
  await process.serving()
  return process
}

/** A truth that changes, and a loader that counts how often it was asked. */
function truth(value: number) {
  const state = { value, loads: 0 }
  return {
    state,
    load: async () => {
      state.loads++
      return state.value
    },
  }
}

function gate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

describe('a view', () => {
  it('is loaded once and then served from memory', async () => {
    const { views } = await servingProcess()
    const { state, load } = truth(1)
    expect(await views.get(prices, ['BTC'], load)).toBe(1)
    expect(await views.get(prices, ['BTC'], load)).toBe(1)
    expect(state.loads).toBe(1)
  })

  it('is loaded once for a thousand callers at the same time', async () => {
    const { views } = await servingProcess()
    const { state, load } = truth(1)
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => views.get(prices, ['BTC'], load)))
    expect(new Set(answers)).toEqual(new Set([1]))
    expect(state.loads).toBe(1)
  })

  it('gives the error of its loader to everyone who waited and stores nothing', async () => {
    const { views } = await servingProcess()
    let loads = 0
    const fail = async () => {
      loads++
      throw new Error('no database')
    }
    const answers = await Promise.allSettled([1, 2, 3].map(() => views.get(prices, ['BTC'], fail)))
    expect(answers.every((answer) => answer.status === 'rejected')).toBe(true)
    expect(loads).toBe(1)
    expect(await views.get(prices, ['BTC'], async () => 7)).toBe(7)
  })

  it('refuses an answer that does not have its shape', async () => {
    const { views } = await servingProcess()
    const wrong = views.get(prices, ['BTC'], async () => 'text' as never)
    await expect(wrong).rejects.toSatisfy((error) => isSluiceError(error, 'PAYLOAD_INVALID'))
    expect(await views.get(prices, ['BTC'], async () => 7)).toBe(7)
  })

  it('keeps no more answers than allowed and gives up the one unused for longest', async () => {
    const { views } = await servingProcess({ maxEntries: 3 })
    for (const symbol of ['A', 'B', 'C']) await views.get(prices, [symbol], async () => 1)
    await views.get(prices, ['A'], async () => 2)
    await views.get(prices, ['D'], async () => 1)
    expect(views.stats().entries).toBe(3)
    expect(await views.get(prices, ['A'], async () => 2)).toBe(1)
    expect(await views.get(prices, ['B'], async () => 2)).toBe(2)
  })
})

describe('a drop', () => {
  it('reaches every process', async () => {
    const processes = await Promise.all([servingProcess(), servingProcess(), servingProcess()])
    const { state, load } = truth(1)
    for (const { views } of processes) expect(await views.get(prices, ['BTC'], load)).toBe(1)
    state.value = 2
    await processes[0]!.views.drop(prices, ['BTC'])
    for (const { views } of processes) {
      await eventually(async () => (await views.get(prices, ['BTC'], load)) === 2)
    }
  })

  it('of one key leaves the others, and of a view takes all', async () => {
    const { views } = await servingProcess()
    for (const symbol of ['BTC', 'ETH']) await views.get(prices, [symbol], async () => 1)
    await views.drop(prices, ['BTC'])
    expect(await views.get(prices, ['BTC'], async () => 2)).toBe(2)
    expect(await views.get(prices, ['ETH'], async () => 2)).toBe(1)
    await views.drop(prices)
    expect(await views.get(prices, ['ETH'], async () => 3)).toBe(3)
  })

  it('that cannot be understood empties the memory, because it may have meant anything', async () => {
    const { views } = await servingProcess()
    await views.get(prices, ['BTC'], async () => 1)
    await admin.publish(CHANNEL, 'not a drop')
    await eventually(async () => (await views.get(prices, ['BTC'], async () => 2)) === 2)
  })
})

describe('a load that races a drop', () => {
  /** Reads the old value, is overtaken by a change and its drop, and ends after them. */
  async function race(open?: OpenViews) {
    const { views } = await servingProcess(open ? { open } : {})
    const { state, load } = truth(1)
    const { open: openGate, opened } = gate()
    const slow = views.get(prices, ['BTC'], async () => {
      const read = await load()
      await opened
      return read
    })
    state.value = 2
    // Told by Redis and not by this process: the way in which a writer elsewhere is heard.
    const heard = new Promise((resolve) => views.events.once('dropped', resolve))
    await admin.publish(CHANNEL, JSON.stringify({ drops: [{ view: prices.name, key: 'BTC' }] }))
    await heard
    const during = await views.get(prices, ['BTC'], load)
    openGate()
    await slow
    return { during, after: await views.get(prices, ['BTC'], load), refused: views.stats().refused }
  }

  it('is not stored, and nobody who asks after the drop waits for it', async () => {
    expect(await race()).toEqual({ during: 2, after: 2, refused: 1 })
  })

  it('would stay wrong without the check of its ticket (planted fault)', async () => {
    const { open, remove } = await plantFault('memory.ts', 'if (ticket.voided) return false', '')
    try {
      expect((await race(open)).after).toBe(1)
    } finally {
      await remove()
    }
  })

  it('would be waited for without being detached (planted fault)', async () => {
    const rule = 'ticket.voided = true\n    byPlace.delete(place)'
    const { open, remove } = await plantFault('memory.ts', rule, 'ticket.voided = true')
    try {
      const stuck = race(open)
      const outcome = await Promise.race([stuck, new Promise((resolve) => setTimeout(resolve, 500, 'stuck'))])
      expect(outcome).toBe('stuck')
    } finally {
      await remove()
    }
  })
})

describe('a cut subscription', () => {
  const killSubscribers = () => admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub')

  it('stops serving from memory until it is confirmed again, and forgets what it held', async () => {
    const { views } = await servingProcess()
    const { state, load } = truth(1)
    await views.get(prices, ['BTC'], load)
    const lost = new Promise((resolve) => views.events.once('flushed', resolve))
    await killSubscribers()
    expect(await lost).toMatchObject({ reason: 'disconnected' })
    expect(views.stats().serving).toBe(false)
    state.value = 2
    // Straight from the loader while nothing is heard; from memory again afterwards, but never the old answer.
    expect(await views.get(prices, ['BTC'], load)).toBe(2)
    await eventually(() => views.stats().serving)
    expect(await views.get(prices, ['BTC'], load)).toBe(2)
  })

  it('does not store a load that began before it', async () => {
    const { views } = await servingProcess()
    const { open, opened } = gate()
    const slow = views.get(prices, ['BTC'], async () => {
      await opened
      return 1
    })
    const lost = new Promise((resolve) => views.events.once('flushed', resolve))
    await killSubscribers()
    await lost
    await eventually(() => views.stats().serving)
    open()
    await slow
    expect(await views.get(prices, ['BTC'], async () => 2)).toBe(2)
  })

  it('is noticed when Redis is frozen and the socket stays open', async () => {
    const { views } = await servingProcess()
    const { state, load } = truth(1)
    await views.get(prices, ['BTC'], load)
    redis.pause()
    try {
      await eventually(() => !views.stats().serving, { what: 'the end of serving' })
      state.value = 2
      expect(await views.get(prices, ['BTC'], load)).toBe(2)
    } finally {
      redis.resume()
    }
    await eventually(() => views.stats().serving, { what: 'serving again' })
    // The writer could not tell its drop while Redis was frozen; its outbox tells it now.
    await views.drop(prices, ['BTC'])
    expect(await views.get(prices, ['BTC'], load)).toBe(2)
  })

  it('comes back by itself after Redis was killed and started again', async () => {
    const { views } = await servingProcess()
    const { state, load } = truth(1)
    await views.get(prices, ['BTC'], load)
    await redis.kill()
    await eventually(() => !views.stats().serving)
    state.value = 2
    expect(await views.get(prices, ['BTC'], load)).toBe(2)
    await redis.restart()
    await eventually(() => views.stats().serving)
    const { loads } = state
    await views.get(prices, ['BTC'], load)
    expect(await views.get(prices, ['BTC'], load)).toBe(2)
    expect(state.loads).toBe(loads + 1)
  })

  it('would serve stale answers if memory were not flushed (planted fault)', async () => {
    const { open, remove } = await plantFault(
      'views.ts',
      'const entries = memory.flush()',
      'const entries = 0',
    )
    try {
      const { views } = await servingProcess({ open })
      const { state, load } = truth(1)
      await views.get(prices, ['BTC'], load)
      const lost = new Promise((resolve) => views.events.once('flushed', resolve))
      await killSubscribers()
      await lost
      state.value = 2
      await eventually(() => views.stats().serving)
      expect(await views.get(prices, ['BTC'], load)).toBe(1)
    } finally {
      await remove()
    }
  })
})
