// Several recordings read as one: in order, and every file is closed whatever happens.
import { describe, expect, it } from 'vitest'
import { mergeOrdered } from '../../src/venues/recordings/merge.ts'

const closed: string[] = []

async function* source(name: string, items: readonly (number | Error)[]): AsyncGenerator<number> {
  try {
    for (const item of items) {
      if (item instanceof Error) throw item
      yield item
    }
  } finally {
    closed.push(name)
  }
}

async function merged(...sources: AsyncGenerator<number>[]): Promise<number[]> {
  closed.length = 0
  const items: number[] = []
  for await (const item of mergeOrdered(sources, (a, b) => a < b)) items.push(item)
  return items
}

describe('mergeOrdered', () => {
  it('gives every item once, in order', async () => {
    expect(await merged(source('a', [1, 4]), source('b', []), source('c', [2, 2, 9]))).toEqual([
      1, 2, 2, 4, 9,
    ])
  })

  it.each([
    ['at its first item', [new Error('damaged')]],
    ['later', [1, new Error('damaged')]],
  ])('closes the others when one fails %s', async (_, items) => {
    await expect(merged(source('whole', [0, 5]), source('damaged', items))).rejects.toThrow('damaged')
    expect(closed.toSorted()).toEqual(['damaged', 'whole'])
  })
})
