import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/kernel/index.ts'
import { batchOf, ticksOf } from '../../src/ticks/batch.ts'
import { openSpill, type Spill } from '../../src/ticks/spill.ts'
import type { Tick } from '../../src/ticks/tick.ts'
import { type TickEvents, tickEmitter } from '../../src/ticks/tick-events.ts'
import { eventually } from '../support/eventually.ts'
import { folderForTest } from './spill-folder.ts'
import { ticksFrom } from './spill-stage.ts'

type Fact<K extends keyof TickEvents> = Parameters<TickEvents[K]>[0]

function open(root: string, segmentBytes?: number) {
  const events = tickEmitter()
  const cuts: Fact<'cut'>[] = []
  const kept: Fact<'kept'>[] = []
  const failing = new Set<string>()
  events.on('cut', (fact) => cuts.push(fact))
  events.on('kept', (fact) => kept.push(fact))
  const spill = openSpill({
    ...{ root, clock: systemClock, events, isFailing: (day: string) => failing.has(day) },
    ...(segmentBytes && { segmentBytes }),
  })
  return { spill, cuts, kept, failing }
}

/** All that can be had, done with. */
async function drain(spill: Spill): Promise<Tick[]> {
  const ticks: Tick[] = []
  for (let next = await spill.next(); next; next = await spill.next()) {
    ticks.push(...ticksOf(next.batch))
    next.done()
  }
  return ticks
}

const lists = [ticksFrom(0, 300), ticksFrom(300, 1), ticksFrom(301, 77)]
const all = lists.flat()
const filesIn = (root: string) =>
  readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ticks'))
const fileIn = (root: string) => join(root, filesIn(root)[0]!)

/** What a process leaves that was killed after it had spilled: nobody holds its lock any more. */
async function leftBehind(root: string): Promise<void> {
  const { spill } = open(root)
  for (const list of lists) await spill.append([batchOf(list)])
  await spill.close()
}

describe('spilled batches', () => {
  it('come back in order and complete, over several files, which are gone afterwards', async () => {
    const root = folderForTest()
    const { spill } = open(root, 10_000)
    expect(spill.isEmpty()).toBe(true)
    for (const list of lists) await spill.append([batchOf(list)])
    await spill.append(lists.map((list) => batchOf(list)))
    expect(spill.ticks()).toBe(all.length * 2)
    expect(filesIn(root).length).toBeGreaterThan(1)
    expect(await drain(spill)).toEqual([...all, ...all])
    expect(spill.isEmpty()).toBe(true)
    expect(spill.ticks()).toBe(0)
    await eventually(() => filesIn(root).length === 0)
    await spill.append([batchOf(lists[1]!)])
    expect(await drain(spill)).toEqual(lists[1])
    await spill.close()
    expect(readdirSync(root)).toEqual([])
  })

  it('that cannot be written leave no folder behind at each try', async () => {
    // SQLite opens no path of more than 512 bytes, so no folder can be locked there.
    const root = join(folderForTest(), 'x'.repeat(240), 'y'.repeat(240))
    const { spill } = open(root)
    await expect(spill.append([batchOf(lists[1]!)])).rejects.toThrow(/unable to open/)
    expect(readdirSync(root)).toEqual([])
    await spill.close()
  })

  it('are taken over from a writer that is gone, and not from one that lives', async () => {
    const root = folderForTest()
    await leftBehind(root)
    const first = open(root)
    expect(first.spill.ticks()).toBe(all.length)
    const second = open(root)
    expect(second.spill.isEmpty()).toBe(true)
    expect(await drain(first.spill)).toEqual(all)
    await first.spill.close()
    await second.spill.close()
    expect(readdirSync(root)).toEqual([])
  })

  it('of a process that was killed are found, whatever it held', async () => {
    const root = folderForTest()
    const module = (path: string) => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href)
    const program = `
      import { systemClock } from ${module('kernel/index.ts')}
      import { batchOf } from ${module('ticks/batch.ts')}
      import { openSpill } from ${module('ticks/spill.ts')}
      import { tickEmitter } from ${module('ticks/tick-events.ts')}
      const spill = openSpill({ root: ${JSON.stringify(root)}, clock: systemClock, events: tickEmitter(), isFailing: () => false })
      for (const list of ${JSON.stringify(lists)}) await spill.append([batchOf(list)])
      process.kill(process.pid, 'SIGKILL')`
    const { signal, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
    })
    expect({ signal, stderr }).toEqual({ signal: 'SIGKILL', stderr: '' })
    const { spill } = open(root)
    expect(await drain(spill)).toEqual(all)
    await spill.close()
  })

  it('are handed out again when nobody knows what became of them, and stay when they are kept', async () => {
    const root = folderForTest()
    const { spill, kept } = open(root)
    for (const list of lists) await spill.append([batchOf(list)])
    const [first, second] = [await spill.next(), await spill.next()]
    first!.again()
    expect(ticksOf((await spill.next())!.batch)).toEqual(lists[0])
    second!.keep('its day is damaged')
    expect(kept).toEqual([{ path: expect.stringContaining(root), count: 1, reason: 'its day is damaged' }])
    expect(await drain(spill)).toEqual(lists[2])
    await spill.close()
    const next = open(root)
    expect(await drain(next.spill)).toEqual(all)
    await next.spill.close()
    expect(readdirSync(root)).toEqual([])
  })
})

describe('spilled batches of a day that is failing', () => {
  it('wait for it, while others are handed out, and come when it takes ticks again', async () => {
    const root = folderForTest()
    await leftBehind(root)
    const { spill, failing } = open(root)
    await spill.append([batchOf(lists[1]!)], '2026-01-19')
    // Found out with the first, which is put off.
    const first = await spill.next()
    failing.add('2026-01-19')
    first!.later('2026-01-19')
    expect(spill.isEmpty()).toBe(false)
    expect(await drain(spill)).toEqual([...lists[1]!, ...lists[2]!])
    expect([spill.isEmpty(), spill.ticks()]).toEqual([true, 301])
    // The next process reads the day in the name of the file, and tries the other one.
    await spill.close()
    expect(filesIn(root).filter((path) => path.includes('2026-01-19'))).toHaveLength(1)
    const next = open(root)
    next.failing.add('2026-01-19')
    expect(await drain(next.spill)).toEqual(all)
    next.failing.clear()
    expect(await drain(next.spill)).toEqual(lists[1])
    await next.spill.close()
    expect(readdirSync(root)).toEqual([])
  })
})

describe('a spill file', () => {
  it('that ends within a record is cut there and says so, wherever the end is', async () => {
    const root = folderForTest()
    await leftBehind(root)
    const whole = readFileSync(fileIn(root))
    // The last record is 77 ticks of 64 bytes with their head.
    for (const missing of [1, 8, 64, 77 * 64, 77 * 64 + 100]) {
      writeFileSync(fileIn(root), whole)
      truncateSync(fileIn(root), whole.length - missing)
      const { spill, cuts } = open(root)
      const next = [await spill.next(), await spill.next(), await spill.next()]
      expect(next.map((one) => one?.batch.count)).toEqual([300, 1, undefined])
      expect(cuts).toEqual([{ path: fileIn(root), bytes: expect.any(Number), inside: false }])
      expect(statSync(fileIn(root)).size).toBe(whole.length - missing - cuts[0]!.bytes)
      await spill.close()
    }
  })

  it('with rubbish at its end gives what is whole', async () => {
    const root = folderForTest()
    await leftBehind(root)
    appendFileSync(fileIn(root), Buffer.from('tick and no more than that word'))
    const { spill, cuts } = open(root)
    expect(await drain(spill)).toEqual(all)
    expect(cuts).toMatchObject([{ bytes: 31, inside: false }])
    await spill.close()
  })

  it('that is damaged inside gives all other records, says so, and stays', async () => {
    const root = folderForTest()
    await leftBehind(root)
    const path = fileIn(root)
    const bytes = readFileSync(path)
    bytes[1_000]! ^= 1
    writeFileSync(path, bytes)
    const { spill, cuts } = open(root)
    expect(await drain(spill)).toEqual([...lists[1]!, ...lists[2]!])
    expect(cuts).toMatchObject([{ path, inside: true }])
    await spill.close()
    expect(existsSync(path)).toBe(true)
  })

  it('whose length is damaged does not make anybody allocate it', async () => {
    const root = folderForTest()
    await leftBehind(root)
    const path = fileIn(root)
    const bytes = readFileSync(path)
    bytes.writeUInt32LE(0xffffffff, 4)
    writeFileSync(path, bytes)
    const { spill, cuts } = open(root)
    expect(await drain(spill)).toEqual([...lists[1]!, ...lists[2]!])
    expect(cuts).toMatchObject([{ inside: true }])
    await spill.close()
  })
})
