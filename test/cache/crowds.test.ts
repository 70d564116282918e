// Many callers before a database that has trouble, or with Redis away: it is asked seldom, and by few at once.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { isSluiceError } from '../../src/kernel/index.ts'
import { eventually } from '../support/eventually.ts'
import { cacheRig } from './rig.ts'
import { prices } from './support.ts'

const rig = cacheRig()
const PROCESSES = 4
const CALLERS = 250
const THROTTLE_MS = 300

it('a loader that fails is called once in its time, however many ask in however many processes', async () => {
  const options = JSON.stringify({ url: rig.redis().url, callers: CALLERS, throttleMs: THROTTLE_MS })
  const said: string[] = []
  const children = Array.from({ length: PROCESSES }, () => {
    const child = fork(`${import.meta.dirname}/failing-caller.ts`, [options])
    child.on('message', (message) => void said.push(String(message)))
    return child
  })
  try {
    await eventually(() => Promise.resolve(said.length === PROCESSES))
    for (const child of children) child.send('begin')
    await eventually(async () => (await rig.admin().llen('loads')) >= 5)
    const loads = (await rig.admin().lrange('loads', 0, -1)).map(Number)
    const pauses = loads.slice(1).map((at, i) => at - loads[i]!)
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(THROTTLE_MS)
    expect(said.filter((message) => message !== 'ready')).toEqual([])
  } finally {
    const ended = children.map((child) => once(child, 'exit'))
    for (const child of children) child.kill('SIGKILL')
    await Promise.all(ended)
  }
})

it('no more loads than allowed run at once when Redis goes away under load', async () => {
  const maxLoads = 4
  const { views } = await rig.process({ maxLoads, loadMs: 500, hurried: true })
  const load = { running: 0, most: 0 }
  const ask = async (symbol: string) => {
    try {
      return await views.get(prices, [symbol], async () => {
        load.running++
        load.most = Math.max(load.most, load.running)
        await new Promise((resolve) => setTimeout(resolve, 2))
        load.running--
        return 1
      })
    } catch (error) {
      if (isSluiceError(error, 'CACHE_OVERLOADED')) return 0
      throw error
    }
  }
  let over = false
  let asked = 0
  const caller = async (n: number) => {
    for (; !over; ) expect([0, 1]).toContain(await ask(`S${(asked++ + n) % 997}`))
  }
  const callers = Array.from({ length: 200 }, (_, n) => caller(n))
  try {
    await eventually(() => Promise.resolve(views.stats().redisHits + views.stats().memoryHits > 100))
    rig.redis().pause()
    await eventually(() =>
      Promise.resolve(views.stats().breaker !== 'closed' && views.stats().bypassed > 500),
    )
    expect(load.most).toBe(maxLoads)
  } finally {
    rig.redis().resume()
    over = true
    await Promise.allSettled(callers)
  }
  expect(load.most).toBe(maxLoads)
})
