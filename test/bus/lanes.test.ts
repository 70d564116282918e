// Thousands of pieces of work that end at once, as all do when a consumer stops with a backlog.
import { describe, expect, it } from 'vitest'
import { openHold, openSlots } from '../../src/bus/lanes.ts'

const MANY = 20_000

describe('slots', () => {
  it('begin work that ends at once however much of it waits', async () => {
    const slots = openSlots(2)
    const held: (() => void)[] = []
    slots.enter((leave) => held.push(leave))
    slots.enter((leave) => held.push(leave))
    let ended = 0
    for (let i = 0; i < MANY; i++) {
      slots.enter((leave) => {
        ended++
        leave()
      })
    }
    expect(ended).toBe(0)
    held[0]!()
    expect(ended).toBe(MANY)
    held[1]!()
    await slots.below(1)
  })

  it('keep the order of coming, also of work that wants all of them', () => {
    const slots = openSlots(2)
    const begun: string[] = []
    const leaves = new Map<string, () => void>()
    const enter = (name: string, alone = false) =>
      slots.enter((leave) => {
        begun.push(name)
        leaves.set(name, leave)
      }, alone)
    enter('a')
    enter('b')
    enter('alone', true)
    enter('c')
    leaves.get('a')!()
    expect(begun).toEqual(['a', 'b'])
    leaves.get('b')!()
    expect(begun).toEqual(['a', 'b', 'alone'])
    leaves.get('alone')!()
    expect(begun).toEqual(['a', 'b', 'alone', 'c'])
  })
})

describe('a hold', () => {
  it('goes through a long lane of work that ends at once, in order', async () => {
    const hold = openHold(Number.POSITIVE_INFINITY)
    const seen: number[] = []
    for (let i = 0; i < MANY; i++) {
      hold.run('key', 1, (done) => {
        seen.push(i)
        done()
      })
    }
    await hold.idle()
    expect(seen).toEqual(Array.from({ length: MANY }, (_, i) => i))
  })
})
