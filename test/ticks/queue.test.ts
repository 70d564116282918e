import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SluiceError } from '../../src/kernel/index.ts'
import { batchOf, ticksOf } from '../../src/ticks/batch.ts'
import { openTickQueue, type Sealed } from '../../src/ticks/queue.ts'
import { partsOf, settleFailed, settleSpilled, settleWritten } from '../../src/ticks/queue-adds.ts'
import { openFiller } from '../../src/ticks/queue-columns.ts'
import { eventually } from '../support/eventually.ts'
import { tickOf, ticksFrom } from './spill-stage.ts'

function open(max: number, batchTicks: number) {
  const sealed: Sealed[] = []
  let begun = 0
  const queue = openTickQueue({
    max,
    batchTicks,
    now: () => 7,
    onBegun: () => void begun++,
    onFull: (one) => sealed.push(one),
  })
  /** The next batch is in the store. */
  const store = (duplicate = 0) => {
    const one = sealed.shift() ?? queue.seal()!
    settleWritten(one.parts, { stored: one.batch.count - duplicate, duplicate })
    queue.release(one.batch.count)
    return ticksOf(one.batch)
  }
  return { queue, sealed, store, begun: () => begun }
}

const stateOf = async (promise: Promise<unknown>) =>
  Promise.race([
    promise.then(
      () => 'resolved',
      () => 'rejected',
    ),
    Promise.resolve('pending'),
  ])

describe('the columns of a batch', () => {
  it('are filled with what batchOf makes of the same ticks', () => {
    const ticks = ticksFrom(0, 500).map((one, n) => ({
      ...one,
      source: `s${n % 3}`,
      broker: n % 2 ? 'b' : '',
    }))
    const filler = openFiller(1_000)
    for (const one of ticksFrom(0, 10)) filler.push(one)
    expect(ticksOf(filler.take())).toEqual(ticksFrom(0, 10))
    for (const one of ticks) filler.push(one)
    const taken = filler.take()
    expect(taken.series).toEqual(batchOf(ticks).series)
    expect(ticksOf(taken)).toEqual(ticks)
  })

  it('hold times before 1970 and any float', () => {
    const odd = [
      tickOf(0, { time: -1, nanos: 999_999, bid: -0, ask: 5e-324 }),
      tickOf(1, { time: -86_400_000, sequence: 2 ** 32 - 1, flags: 2 ** 32 - 1, volume: Number.MAX_VALUE }),
    ]
    const filler = openFiller(2)
    for (const one of odd) filler.push(one)
    expect(ticksOf(filler.take())).toEqual(odd)
  })
})

describe('the queue', () => {
  it('puts what is added one behind the other into batches, and tells each caller of its own', async () => {
    const { queue, sealed, store, begun } = open(1_000, 4)
    const adds = [queue.add(ticksFrom(0, 3)), queue.add(ticksFrom(3, 6)), queue.add([])]
    expect(sealed.map(({ batch }) => batch.count)).toEqual([4, 4])
    expect(queue.held()).toBe(9)
    expect(begun()).toBe(2)
    expect(await adds[2]).toEqual({ stored: 0, duplicate: 0, spilled: 0 })
    expect(store()).toEqual(ticksFrom(0, 4))
    expect(await adds[0]).toEqual({ stored: 3, duplicate: 0, spilled: 0 })
    expect(store()).toEqual(ticksFrom(4, 4))
    expect(await stateOf(adds[1]!)).toBe('pending')
    expect(store(1)).toEqual(ticksFrom(8, 1))
    expect(await adds[1]).toEqual({ stored: 5, duplicate: 1, spilled: 0 })
    expect(queue.held()).toBe(0)
  })

  it('lets nobody in while it is full, then those who waited in their order', async () => {
    const { queue, sealed, store } = open(8, 4)
    const adds = [queue.add(ticksFrom(0, 6)), queue.add(ticksFrom(6, 6)), queue.add(ticksFrom(12, 1))]
    expect([queue.held(), queue.waiting()]).toEqual([8, 5])
    const ready = queue.ready()
    store()
    await eventually(() => sealed.length === 2)
    expect([queue.held(), queue.waiting()]).toEqual([8, 1])
    expect(await stateOf(ready)).toBe('pending')
    store()
    await ready
    expect(queue.waiting()).toBe(0)
    expect([...store(), ...store()]).toEqual(ticksFrom(8, 5))
    expect(await Promise.all(adds)).toMatchObject([{ stored: 6 }, { stored: 6 }, { stored: 1 }])
  })

  it('takes a list in that is longer than it is itself', async () => {
    const { queue, store } = open(10, 4)
    const add = queue.add(ticksFrom(0, 103))
    const ticks = []
    for (;;) {
      await eventually(() => queue.held() > 0 && (queue.held() === 10 || queue.waiting() === 0))
      ticks.push(...store())
      if (ticks.length === 103) break
    }
    expect(ticks).toEqual(ticksFrom(0, 103))
    expect(await add).toMatchObject({ stored: 103 })
  })

  it('does not go on with a call that has failed', async () => {
    const { queue, sealed, store } = open(4, 4)
    const adds = [queue.add(ticksFrom(0, 10)), queue.add(ticksFrom(10, 2))]
    const first = sealed.shift()!
    settleFailed(first.parts, new SluiceError('DATABASE_INVALID', 'damaged'))
    queue.release(4)
    await expect(adds[0]).rejects.toMatchObject({ code: 'DATABASE_INVALID' })
    await eventually(() => queue.waiting() === 0)
    expect(store()).toEqual(ticksFrom(10, 2))
    expect(await adds[1]).toMatchObject({ stored: 2 })
  })

  it('counts what comes from elsewhere, however full it is, and gives waiting calls back', async () => {
    const { queue } = open(4, 8)
    queue.hold(9)
    const add = queue.add(ticksFrom(0, 1))
    expect([queue.held(), queue.waiting()]).toEqual([9, 1])
    const [given] = queue.giveUp()
    given!.fail(new SluiceError('USAGE', 'closed'))
    await expect(add).rejects.toMatchObject({ code: 'USAGE' })
    expect(queue.waiting()).toBe(0)
  })

  it('settles every row of every call once, for any sizes and any days', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(sizes, fc.infiniteStream(fc.integer({ min: 0, max: 2 })), (counts, days) => {
        const { queue } = open(1_000, 1_000)
        for (const count of counts) void queue.add(ticksFrom(0, count))
        const { parts, batch } = queue.seal()!
        const dayOf = Array.from({ length: batch.count }, () => days.next().value as number)
        const found = [0, 1, 2].map((day) =>
          partsOf(parts, Uint32Array.from(dayOf.flatMap((one, row) => (one === day ? [row] : [])))),
        )
        const sums = parts.map(({ adding }) =>
          found
            .flat()
            .filter((part) => part.adding === adding)
            .reduce((sum, { count }) => sum + count, 0),
        )
        expect(sums).toEqual(counts)
        for (const some of found) settleSpilled(some)
      }),
    )
  })
})
