// The checker of a chaos run against books made by hand: the right ones, and each kind of wrong ones.
import { describe, expect, it } from 'vitest'
import { type Buried, type Output, openChecker, type Row, type Rule } from './checker.ts'
import {
  isForLoose,
  isGivenUp,
  kindOf,
  LOOSE,
  lastAttemptOf,
  messageOf,
  ORDERED,
  outputOf,
  type Plan,
} from './plan.ts'

const plan: Plan = { seed: 5, messages: 2_000, keys: 16, publishers: 2, partitions: 4, maxEntries: 100 }

interface Books {
  rows: Row[]
  buried: Buried[]
  outputs: Output[]
}

/** What a run without any fault leaves. */
function right(): Books {
  const books: Books = { rows: [], buried: [], outputs: [] }
  for (let i = 0; i < plan.messages; i++) {
    const message = messageOf(plan, i)
    const partition = (i % plan.keys) % plan.partitions
    const where = { partition, sequence: i, epoch: 7, worker: 'w' }
    const write = (group: string, attempt: number, what: Row['what']) =>
      books.rows.push({ ...message, ...where, place: books.rows.length + 1, group, attempt, what })
    const groups = isForLoose(i) ? [ORDERED, LOOSE] : [ORDERED]
    for (const group of groups) {
      if (!isGivenUp(plan, i)) write(group, 1, 'effect')
      else {
        for (let n = 1; n <= lastAttemptOf(plan, i); n++) if (group === ORDERED) write(group, n, 'trial')
        books.buried.push({ ...message, group, entry: `0/${i}-0` })
      }
    }
    const stream = outputOf(plan, i)
    if (stream) books.outputs.push({ ...message, stream, entry: `${i}-0` })
  }
  return books
}

function brokenIn({ rows, buried, outputs }: Books, lag = 0): Rule[] {
  const checker = openChecker(plan)
  for (const row of rows) checker.row(row)
  for (const letter of buried) checker.buried(letter)
  for (const output of outputs) checker.output(output)
  checker.standing({ group: ORDERED, partition: 0, lag, pending: 0 })
  return checker.verdicts().flatMap(({ rule, count }) => (count > 0 ? [rule] : []))
}

const firstOf = (kind: string) => {
  for (let i = plan.keys; ; i++) if (kindOf(plan, i) === kind && outputOf(plan, i) === undefined) return i
}

const plain = firstOf('plain')
const poison = firstOf('poison')
const isEffect = (i: number) => (row: Row) => row.i === i && row.group === ORDERED && row.what === 'effect'

const wrong: [string, Rule, (books: Books) => void][] = [
  ['an effect that is missing', 'lost', (b) => b.rows.splice(b.rows.findIndex(isEffect(plain)), 1)],
  ['an effect that happened twice', 'twice', (b) => b.rows.push(b.rows.find(isEffect(plain))!)],
  [
    'a message that passed the one in front of it',
    'order',
    (b) => {
      const at = b.rows.findIndex(isEffect(plain))
      b.rows.push(...b.rows.splice(at, 1))
    },
  ],
  [
    'a message that passed one that still had attempts before it',
    'order',
    (b) => {
      b.rows = b.rows.filter((row) => row.i !== poison || row.attempt < lastAttemptOf(plan, poison))
    },
  ],
  [
    'an effect under an old epoch',
    'epoch',
    (b) => {
      const at = b.rows.findIndex(isEffect(plain))
      b.rows[at] = { ...b.rows[at]!, epoch: 6 }
    },
  ],
  ['an effect of what nobody published', 'invented', (b) => b.rows.push({ ...b.rows[0]!, key: 'k99' })],
  ['a dead letter that is missing', 'buried', (b) => b.buried.pop()],
  ['a dead letter that is there twice', 'buried', (b) => b.buried.push(b.buried[0]!)],
  [
    'a dead letter of a good message',
    'buried',
    (b) => b.buried.push({ ...messageOf(plan, plain), group: ORDERED, entry: '0/1-0' }),
  ],
  ['an output that is missing', 'outputs', (b) => b.outputs.shift()],
  ['an output that is said twice', 'outputs', (b) => b.outputs.push(b.outputs[0]!)],
  ['outputs in another order', 'outputs', (b) => b.outputs.reverse()],
]

describe('the checker', () => {
  it('finds nothing in right books', () => {
    expect(plain).toBeGreaterThan(0)
    expect(poison).toBeGreaterThan(0)
    expect(brokenIn(right())).toEqual([])
  })

  it.each(wrong)('finds %s', (_, rule, spoil) => {
    const books = right()
    spoil(books)
    expect(brokenIn(books)).toContain(rule)
  })

  it('finds what was left', () => {
    expect(brokenIn(right(), 3)).toEqual(['left'])
  })
})
