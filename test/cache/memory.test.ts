// The memory level alone, against a model: any order of loads, drops and reads.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { decodeDrops } from '../../src/cache/drops.ts'
import { defineView, dropKey, dropTag, encodeDrops } from '../../src/cache/index.ts'
import { openMemory, type Ticket } from '../../src/cache/memory.ts'
import { encodeKey } from '../../src/cache/view.ts'
import { isSluiceError } from '../../src/kernel/index.ts'

const pair = defineView<[a: string, b: string | number], number>({
  name: 'pair',
  about: 'Two parts.',
  shape: z.number(),
  parts: ['a', 'b'],
  lifetimeMs: 1_000,
})

describe('the memory level', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('begin' as const), key: fc.constantFrom('a', 'b', 'c') }),
    fc.record({ do: fc.constant('finish' as const), nth: fc.nat(5) }),
    fc.record({ do: fc.constant('change' as const), key: fc.constantFrom('a', 'b', 'c') }),
    fc.record({ do: fc.constant('changeAll' as const) }),
    fc.record({ do: fc.constant('flush' as const) }),
  )

  it('never holds an answer that was read before the last change of its key', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const memory = openMemory(2, 1_000_000)
        const version: Record<string, number> = { a: 0, b: 0, c: 0 }
        const loads: { ticket: Ticket; read: number }[] = []
        for (const s of steps) {
          if (s.do === 'begin')
            loads.push({ ticket: memory.begin('v', s.key, ['all'], 0), read: version[s.key]! })
          if (s.do === 'finish') {
            const [load] = loads.splice(s.nth, 1)
            if (load) memory.store(load.ticket, load.read, { bytes: 8, goodUntil: 10, eagerAt: 10 })
            if (load) memory.end(load.ticket)
          }
          if (s.do === 'flush') memory.flush()
          if (s.do === 'change') {
            version[s.key]!++
            memory.drop('v', s.key)
          }
          if (s.do === 'changeAll') {
            for (const key of Object.keys(version)) version[key]!++
            memory.dropTag('all')
          }
          for (const key of Object.keys(version)) {
            const found = memory.find('v', key, 0)
            if (found) expect(found.value).toBe(version[key])
          }
          expect(memory.size().entries).toBeLessThanOrEqual(2)
        }
      }),
    )
  })

  it('serves an answer until its lifetime ends and not at that moment', () => {
    const memory = openMemory(10, 1_000_000)
    // As EUR/EUR would, whose currencies are its tags.
    const twice = memory.begin('v', 'a', ['EUR', 'EUR'], 0)
    memory.store(twice, 1, { bytes: 8, goodUntil: 100, eagerAt: 100 })
    expect(memory.find('v', 'a', 99)?.value).toBe(1)
    expect(memory.find('v', 'a', 100)).toBeUndefined()
    expect(memory.size()).toEqual({ entries: 0, bytes: 0 })
  })

  it('holds no more than its bytes, and gives up what nobody has asked for lately', () => {
    const memory = openMemory(1_000, 10_000)
    const store = (key: string) =>
      memory.store(memory.begin('v', key, [], 0), key, { bytes: 1_600, goodUntil: 100, eagerAt: 100 })
    for (const key of ['a', 'b', 'c', 'd', 'e']) store(key)
    expect(memory.size()).toEqual({ entries: 5, bytes: 10_000 })
    memory.find('v', 'a', 0)
    store('f')
    expect(['a', 'b', 'f'].map((key) => memory.find('v', key, 0)?.value)).toEqual(['a', undefined, 'f'])
  })
})

describe('a key', () => {
  it('is different for different parts, whatever they contain', () => {
    const part = fc.string({ minLength: 1, unit: fc.constantFrom('a', ':', '%', '/', 'ü') })
    fc.assert(
      fc.property(part, part, part, part, (a, b, c, d) => {
        expect(encodeKey(pair, [a, b]) === encodeKey(pair, [c, d])).toBe(a === c && b === d)
      }),
    )
  })

  it('is refused with an empty or infinite part', () => {
    for (const key of [
      ['', 'b'],
      ['a', Number.NaN],
    ] as const) {
      expect(() => encodeKey(pair, key as never)).toThrowError(
        expect.toSatisfy((error) => isSluiceError(error, 'USAGE')),
      )
    }
  })
})

describe('a message of drops', () => {
  it('is read as it was written, and undefined when it is anything else', () => {
    const drops = [dropKey(pair, ['a:b', 7]), dropTag('some')]
    expect(decodeDrops(encodeDrops(drops))).toEqual([{ place: 'pair:a%3Ab:7' }, { tag: 'some' }])
    fc.assert(fc.property(fc.string(), (text) => decodeDrops(text) === undefined))
    expect(decodeDrops('{"drops":[{}]}')).toBeUndefined()
  })
})
