// The one kind of running thing, and how what was opened is closed.
import { describe, expect, it } from 'vitest'
import { aborted, openResources, repeat, runTasks, systemClock, type Task } from '../../src/kernel/index.ts'

const quiet = () => new AbortController().signal

describe('runTasks', () => {
  it('aborts the others at the first failure, waits for all of them, and throws that first error', async () => {
    const ended: string[] = []
    const drains: Task = async (signal) => {
      await aborted(signal)
      await systemClock.sleep(20)
      ended.push('drained')
    }
    const failsLater: Task = async (signal) => {
      await aborted(signal)
      throw new Error('second')
    }
    const fails: Task = async () => {
      throw new Error('first')
    }
    await expect(runTasks([drains, failsLater, fails], quiet())).rejects.toThrow('first')
    expect(ended).toEqual(['drained'])
  })

  it('resolves when every task has, and passes the abort on', async () => {
    const stop = new AbortController()
    let ended = 0
    const waits: Task = async (signal) => {
      await aborted(signal)
      ended += 1
    }
    const running = runTasks([waits, waits], stop.signal)
    stop.abort()
    await running
    expect(ended).toBe(2)
  })
})

describe('repeat', () => {
  it('never works twice at once, and ends at the abort in the middle of a pause', async () => {
    const stop = new AbortController()
    let [runs, together, most] = [0, 0, 0]
    await repeat(1, systemClock, async () => {
      together += 1
      most = Math.max(most, together)
      await systemClock.sleep(3)
      together -= 1
      runs += 1
      if (runs === 3) stop.abort()
    })(stop.signal)
    expect([runs, most]).toEqual([3, 1])
    await repeat(3_600_000, systemClock, () => stop.abort())(stop.signal)
  })
})

describe('resources', () => {
  it('are closed once, in reverse, every one of them, and the first error is thrown at the end', async () => {
    const resources = openResources()
    const closed: string[] = []
    for (const name of ['first', 'second', 'third']) {
      resources.own(name, async () => {
        closed.push(name)
        if (name !== 'first') throw new Error(`${name} does not close`)
      })
    }
    const closing = resources.close()
    await expect(closing).rejects.toThrow('third does not close')
    await expect(resources.close()).rejects.toThrow('third')
    expect(closed).toEqual(['third', 'second', 'first'])
    expect(() => resources.own('late', () => {})).toThrow('after closing began')
  })
})
