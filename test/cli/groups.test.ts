// Groups and dead letters as a person or a program handles them: the real command on a real server.
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { outgoing, Reject } from '../../src/bus/index.ts'
import { signals } from '../../src/catalog/index.ts'
import { changeDeadLetters, editDeadLetter, showDeadLetter } from '../../src/cli/dead-letters.ts'
import { editText } from '../../src/cli/edit-text.ts'
import { pauseOrResume, removeGroup, replayGroup } from '../../src/cli/groups.ts'
import type { Terminal } from '../../src/cli/terminal.ts'
import { type NotingBus, openNotingBus, start } from '../bus/rig.ts'
import { type Ended, sluice } from '../support/command.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'

const STREAM = signals.name
let redis: TestRedis
let bus: NotingBus
let folder: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-groups-'))
  redis = await startRedis()
  Object.assign(process.env, { REDIS_URL: redis.url, DATA_DIR: folder })
  bus = openNotingBus(redis.url)
})
afterAll(async () => {
  await bus.close()
  await redis.stop()
  rmSync(folder, { recursive: true, force: true })
})

const call = (args: readonly string[], input?: string): Promise<Ended> =>
  sluice(args, { env: { REDIS_URL: redis.url, DATA_DIR: folder }, ...(input === undefined ? {} : { input }) })
    .ended
const values = (text: string) =>
  text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Record<string, unknown>]))

/** Runs what a command does in this process, which takes no second to start; answers what it said as JSON. */
async function inside(work: (terminal: Terminal) => Promise<unknown>) {
  const said: { results: unknown[]; notes: string[] } = { results: [], notes: [] }
  await work({
    json: true,
    colours: false,
    result: (value) => void said.results.push(value),
    line: (text) => void said.notes.push(text),
    note: (message) => void said.notes.push(message),
  })
  return said
}

const signal = (confidence: number) => ({
  kind: 'risk' as const,
  symbol: 'BTC/USDT',
  action: 'hold' as const,
  strength: 'weak' as const,
  ...{
    confidence,
    risk: 0,
    score: 1,
    indicators: [],
    venues: [],
    price: 1,
    simulated: true,
    time: 1,
    expiresAt: 2,
  },
})

/** A group that gives up what is not confident, running until it has seen `count` entries. */
async function consumeSignals(count: number): Promise<number[]> {
  const seen: number[] = []
  const consumer = start(
    bus.consume({
      stream: signals,
      group: 'screen',
      order: 'key',
      async handle({ data }) {
        seen.push(data.confidence)
        if (data.confidence < 0.5) throw new Reject('not confident')
      },
    }),
  )
  await eventually(() => seen.length >= count)
  await consumer.stop()
  return seen
}

describe('groups and dead letters', () => {
  it('are listed, paused, resumed, and read again from a place', async () => {
    await bus.publish(
      [0.9, 0.8, 0.7].map((confidence) => outgoing(signals, `e${confidence}`, signal(confidence))),
    )
    await consumeSignals(3)
    const changed = (verb: 'pause' | 'resume', group = 'screen') =>
      inside((terminal) => pauseOrResume(verb, STREAM, group, terminal))
    expect((await changed('pause')).results).toMatchObject([{ paused: true, changed: true }])
    expect((await changed('pause')).results).toMatchObject([{ paused: true, changed: false }])
    await expect(changed('resume', 'nobody')).rejects.toMatchObject({ code: 'GROUP_UNKNOWN' })
    await expect(
      inside((terminal) => replayGroup(STREAM, 'screen', { from: 'yesterday', yes: true }, terminal)),
    ).rejects.toMatchObject({ code: 'USAGE' })
    const [listed, unasked] = await Promise.all([
      call(['groups', 'list', STREAM]),
      call(['groups', 'replay', STREAM, 'screen', '--from', 'start']),
    ])
    expect(listed.stdout).toMatch(/signals +screen +paused/)
    expect(unasked).toMatchObject({ code: 2, stdout: '' })
    expect(unasked.stderr).toMatch(
      /Let screen read 3 entries again\? There is no terminal to ask on: give --yes/,
    )
    const replayed = await call(['groups', 'replay', STREAM, 'screen', '--from', 'start', '--yes', '--json'])
    const places = values(replayed.stdout)
    expect(places).toHaveLength(signals.partitions)
    expect(places.reduce((sum, { count }) => sum + Number(count), 0)).toBe(3)
    expect((await changed('resume')).results).toMatchObject([{ paused: false, changed: true }])
    expect(await consumeSignals(3)).toEqual([0.9, 0.8, 0.7])
  })

  it('are mended from a file or stdin, replayed and dropped; what is refused stays and is told', async () => {
    await bus.publish(
      [0.1, 0.2, 0.3, 0.4].map((confidence) => outgoing(signals, `e${confidence}`, signal(confidence))),
    )
    await consumeSignals(4)
    const letters = (await bus.deadLetters(signals as never, 10)).reverse()
    const [first, second, third] = letters.map(({ entry }) => entry)
    const mended = join(folder, 'mended.json')
    const edit = (entry: string, payload: object) => {
      writeFileSync(mended, JSON.stringify(payload, null, 2))
      return inside((terminal) => editDeadLetter(STREAM, entry, mended, terminal))
    }
    await expect(edit(second!, { ...signal(0.9), confidence: 7 })).rejects.toMatchObject({
      code: 'PAYLOAD_INVALID',
      message: expect.stringContaining('confidence'),
    })
    expect((await edit(second!, signal(0.96))).results).toEqual([{ edit: second, stream: STREAM }])
    const [shown, noTerminal, edited, unasked] = await Promise.all([
      call(['dlq', 'show', STREAM, third!]),
      call(['dlq', 'edit', STREAM, third!], ''),
      call(['dlq', 'edit', STREAM, first!, '--data', '-', '--json'], JSON.stringify(signal(0.95))),
      call(['dlq', 'drop', STREAM, '--all']),
    ])
    expect(shown.stdout).toContain('"confidence": 0.3')
    expect(noTerminal).toMatchObject({ code: 2, stdout: '' })
    expect(noTerminal.stderr).toContain('--data')
    expect(values(edited.stdout)).toEqual([{ edit: first, stream: STREAM }])
    expect(unasked).toMatchObject({ code: 2, stdout: '' })
    expect(unasked.stderr).toContain('dead letters of signals for good? There is no terminal to ask on')
    await expect(inside((terminal) => showDeadLetter(STREAM, first!, terminal))).rejects.toMatchObject({
      code: 'DEAD_LETTER_UNKNOWN',
    })
    const all = (verb: 'replay' | 'drop') =>
      inside((terminal) =>
        changeDeadLetters(verb, STREAM, [], { all: true, group: 'screen', yes: true }, terminal),
      )
    expect((await all('replay')).results).toHaveLength(2)
    expect((await consumeSignals(4)).sort()).toEqual([0.3, 0.4, 0.95, 0.96])
    expect((await all('drop')).results).toHaveLength(2)
    expect(await bus.deadLetters(signals as never, 10)).toEqual([])
    const removed = (await inside((terminal) => removeGroup(STREAM, 'screen', { yes: true }, terminal)))
      .results
    expect(removed).toEqual([{ stream: STREAM, group: 'screen', removed: true, unhandled: 0 }])
    await expect(bus.pauseGroup(signals, 'screen')).rejects.toMatchObject({ code: 'GROUP_UNKNOWN' })
  })
})

describe('an editor', () => {
  it('may be a command line; what it leaves is read and kept until it is discarded', async () => {
    const editor = join(folder, 'editor')
    writeFileSync(editor, '#!/bin/sh\n[ "$1" = --wait ] && printf " more" >> "$2"\n')
    chmodSync(editor, 0o700)
    const edited = await editText('text', `${editor} --wait`)
    expect(edited.text).toBe('text more')
    expect(readFileSync(edited.path, 'utf8')).toBe('text more')
    edited.discard()
    expect(() => readFileSync(edited.path)).toThrow()
  })

  it('that fails or is not there changes nothing', async () => {
    await expect(editText('text', 'false')).rejects.toMatchObject({ code: 'USAGE' })
    await expect(editText('text', join(folder, 'no-such-editor'))).rejects.toMatchObject({ code: 'USAGE' })
  })
})
