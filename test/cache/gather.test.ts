import { describe, expect, it } from 'vitest'
import { gatherCalls } from '../../src/cache/gather.ts'

/** Calls are texts; their first letter is the group. */
function gathering(answer: (calls: readonly string[]) => Promise<readonly string[]>) {
  const sent: (readonly string[])[] = []
  const room = { groupOf: (call: string) => call[0]!, sizeOf: (call: string) => call.length, max: 6 }
  const call = gatherCalls<string, string>(room, (calls) => {
    sent.push([...calls])
    return answer(calls)
  })
  return { call, sent }
}
const twice = async (calls: readonly string[]) => calls.map((call) => call + call)

describe('calls of one turn', () => {
  it('go together, each group by itself, and each gets its own answer', async () => {
    const { call, sent } = gathering(twice)
    const later = Promise.resolve().then(() => call('a3'))
    const answers = await Promise.all([call('a1'), call('b1'), call('a2'), later])
    expect(answers).toEqual(['a1a1', 'b1b1', 'a2a2', 'a3a3'])
    expect(sent).toEqual([['a1', 'a2', 'a3'], ['b1']])
  })

  it('begin another one when there is no more room, and what is too large goes alone', async () => {
    const { call, sent } = gathering(twice)
    await Promise.all(['a12', 'a34', 'a5', 'a6789012', 'a7', 'a8'].map(call))
    expect(sent).toEqual([['a12', 'a34'], ['a5'], ['a6789012'], ['a7', 'a8']])
  })

  it('fail together, and the next turn begins anew', async () => {
    let isAway = true
    const { call, sent } = gathering(async (calls) => {
      if (isAway) throw new Error('away')
      return twice(calls)
    })
    const results = await Promise.allSettled([call('a1'), call('a2')])
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    isAway = false
    expect(await call('a3')).toBe('a3a3')
    expect(sent).toEqual([['a1', 'a2'], ['a3']])
  })
})
