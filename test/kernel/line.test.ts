import { expect, it } from 'vitest'
import { openLine } from '../../src/kernel/index.ts'

it('lets so many in at once, and the others in the order in which they came', async () => {
  const line = openLine(2)
  const [one, two] = await Promise.all([line.enter(), line.enter()])
  const entered: string[] = []
  const three = line.enter().then((leave) => {
    entered.push('three')
    return leave!
  })
  const four = line.enter().then((leave) => {
    entered.push('four')
    return leave!
  })
  expect([line.running(), line.waiting()]).toEqual([2, 2])
  one!()
  // Whoever gives a place on twice gives on one.
  one!()
  const leaveThree = await three
  expect([entered, line.running(), line.waiting()]).toEqual([['three'], 2, 1])
  two!()
  leaveThree()
  ;(await four)()
  expect([entered, line.running(), line.waiting()]).toEqual([['three', 'four'], 0, 0])
})

it('tells who waited too long, and forgets them', async () => {
  const line = openLine(1)
  const leave = await line.enter(1)
  expect(await line.enter(1)).toBeUndefined()
  expect([line.running(), line.waiting()]).toEqual([1, 0])
  leave!()
  expect(await line.enter(1)).toBeDefined()
})
