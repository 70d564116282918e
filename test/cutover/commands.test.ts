// Cut-overs as an operator sees them: what each command says, and how it ends.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openCsvCandles } from '../../src/candles/csv-candles.ts'
import { changePhase, copyHistory, showCutovers } from '../../src/cli/cutover.ts'
import { untilDrained } from '../../src/cli/cutover-drained.ts'
import { reportParity, runParity } from '../../src/cli/parity.ts'
import type { Terminal } from '../../src/cli/terminal.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { type NotingBus, numberStream, numbers, openNotingBus, start } from '../bus/rig.ts'
import { sluice } from '../support/command.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { forgetCutovers } from './rig.ts'

const DAY = 86_400_000
let redis: TestRedis
let bus: NotingBus
let place: TestDatabase
let folder: string
let environment: Record<string, string>
beforeAll(async () => {
  ;[redis, place] = await Promise.all([startRedis(), openTestDatabase('sqlite')])
  folder = mkdtempSync(join(tmpdir(), 'sluice-cutover-'))
  environment = { ...place.environment, REDIS_URL: redis.url, DATA_DIR: folder }
  Object.assign(process.env, environment)
  bus = openNotingBus(redis.url)
  const csv = openCsvCandles({ dir: join(folder, 'candles'), clock: systemClock })
  const price = { open: 10, high: 12, low: 9, close: 11, volume: 100 }
  const bar = (i: number) => ({
    source: 'vn',
    ticker: 'VIC',
    interval: '1D' as const,
    time: i * DAY,
    ...price,
  })
  await csv.write(Array.from({ length: 30 }, (_, i) => bar(i)))
  await csv.close()
})
// A command lets go of the channel to its parent, which here is the one to vitest: the next file needs it.
afterEach(() => process.channel?.ref())
afterAll(async () => {
  await bus.close()
  await Promise.all([redis.stop(), place.close()])
  rmSync(folder, { recursive: true })
})
beforeEach(() => forgetCutovers(place.database))

/** What a command says to a person or to a program, without the second that a process takes. */
async function inside<T>(work: (terminal: Terminal) => Promise<T>, json = false) {
  const said = { results: [] as unknown[], text: '', notes: [] as string[] }
  const ended = await work({
    json,
    colours: false,
    result(value, text) {
      said.results.push(value)
      said.text += `${typeof text === 'string' ? text : text()}\n`
    },
    line: (text) => void said.notes.push(text),
    note: (message) => void said.notes.push(message),
  })
  return { ...said, ended }
}
const step = (verb: 'advance' | 'rollback', revision?: number) =>
  inside((terminal) =>
    changePhase(
      verb,
      'candles',
      { reason: 'as agreed', ...(revision !== undefined && { revision }) },
      terminal,
    ),
  )
/** Nobody goes by what was before, so that no step waits. */
const laterThatDay = () =>
  place.database.write(({ sql, t }) => sql.update(t.cutovers).set({ changedAt: 1 }).returning())

describe('sluice cutover', () => {
  it('says where everything is and what comes next', async () => {
    const { text } = await inside((terminal) => showCutovers(undefined, terminal))
    expect(text).toMatch(/^feature +phase +revision/)
    // The files follow the database, which is written in every phase.
    expect(text).toMatch(/^candles +legacy +0 +- +CSV files \+ SQL tables +CSV files/m)
    expect(text).toMatch(/^ticks +legacy +0 +- +JSON files +JSON files/m)
    expect(text).toContain('ticks can advance: sluice cutover advance ticks --reason …')
    const { results } = await inside((terminal) => showCutovers('candles', terminal), true)
    expect(results).toMatchObject([{ feature: 'candles', phase: 'legacy', revision: 0, changes: [] }])
    expect(text).toContain('candles: its phase is not in force: CANDLES_BACKEND is sql')
    expect(results).toMatchObject([{ notInForce: 'CANDLES_BACKEND is sql' }])
  })

  it('goes forward by a copy and a comparison, and back', async () => {
    expect((await step('advance')).text).toContain('candles is in dual, revision 1; what was written before')
    await laterThatDay()
    const copied = await inside((terminal) => copyHistory('candles', terminal))
    expect(copied.text).toContain('copied 30 records in 1 parts into the SQL tables')
    const parity = await inside((terminal) => runParity('candles', terminal))
    expect(parity.text).toMatch(/^30 records compared, no difference {2}\(run [-0-9a-f]+, revision 2/)
    expect(parity.ended).toBe(0)
    expect((await step('advance', 2)).text).toContain('candles is in shadow, revision 3')
    await expect(step('advance')).rejects.toMatchObject({ code: 'CUTOVER_REFUSED' })
    await expect(step('rollback', 2)).rejects.toMatchObject({ code: 'CUTOVER_CONFLICT' })
    expect((await step('rollback', 3)).text).toContain('candles is in dual, revision 4')
    const { text } = await inside((terminal) => showCutovers('candles', terminal))
    expect(text).toMatch(/^ +4 .* shadow +dual +as agreed$/m)
    expect(text).toMatch(/^ +2 .* dual +dual +copied 1 parts, 30 records, into the current store$/m)
  })

  it('brings back what the former store missed when it comes back from done', async () => {
    await place.database.write(({ sql, t }) =>
      sql.insert(t.cutovers).values({ feature: 'candles', phase: 'done', revision: 7, changedAt: 1 }),
    )
    const csv = join(folder, 'candles/vn/VIC/1D.csv')
    const before = readFileSync(csv, 'utf8')
    writeFileSync(csv, before.split('\n').slice(0, 20).join('\n').concat('\n'))
    const rollback = sluice(['cutover', 'rollback', 'candles', '--reason', 'back'], { env: environment })
    await rollback.says(/what the CSV files missed is brought back\nwaiting 11 s/)
    rollback.child.kill('SIGINT')
    const { code, stderr } = await rollback.ended
    expect(stderr).toContain('stopped; what is copied stays, and this goes on: sluice cutover copy candles')
    expect(code).toBe(1)
    await laterThatDay()
    rmSync(csv)
    mkdirSync(csv)
    const failed = await inside((terminal) =>
      copyHistory('candles', terminal).catch((error: { code: string }) => error.code),
    )
    expect(failed.ended).toBe('DATABASE_UNAVAILABLE')
    expect(failed.notes.at(-1)).toBe(
      'the copy did not come to its end; what is copied stays, and this goes on: sluice cutover copy candles',
    )
    rmSync(csv, { recursive: true })
    const { text } = await inside((terminal) => copyHistory('candles', terminal))
    expect(text).toContain('copied 30 records in 1 parts into the CSV files')
    expect(readFileSync(csv, 'utf8')).toBe(before)
  })

  it('does not know other features, nor a step without a reason', async () => {
    await expect(inside((terminal) => showCutovers('candle', terminal))).rejects.toMatchObject({
      code: 'USAGE',
      message: 'There is no feature "candle"; allowed: ticks, candles.',
    })
    const { code, stderr } = await sluice(['cutover', 'advance', 'candles'], { env: environment }).ended
    expect(stderr).toContain("required option '--reason <text>'")
    expect(code).toBe(2)
  })
})

describe('sluice parity', () => {
  const differ = () => {
    const csv = join(folder, 'candles/vn/VIC/1D.csv')
    const before = readFileSync(csv, 'utf8')
    writeFileSync(csv, before.replace('1970-01-05,10,', '1970-01-05,10.5,'))
    return () => writeFileSync(csv, before)
  }

  it('prints each difference and ends with exit code 1', async () => {
    const mend = differ()
    const { code, stdout } = await sluice(['parity', 'run', 'candles', '--json'], { env: environment }).ended
    expect(code).toBe(1)
    const [difference, run] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(difference).toMatchObject({ key: 'vn VIC 1D 1970-01-05T00:00:00.000Z' })
    expect(run).toMatchObject({ compared: 30, different: 1 })
    const report = await inside((terminal) => reportParity('candles', {}, terminal))
    expect(report.text).toMatch(/^vn VIC 1D .*\n {2}CSV files +VIC.*,10\.5,.*\n {2}SQL tables +VIC.*,10,/)
    expect(report.ended).toBe(1)
    mend()
    const again = await inside((terminal) => runParity('candles', terminal))
    expect(again.ended).toBe(0)
    const former = await inside(
      (terminal) => reportParity('candles', { run: run.id, limit: 1 }, terminal),
      true,
    )
    expect(former.results).toMatchObject([{ key: difference.key }, { id: run.id, different: 1 }])
  })

  it('has nothing to report before the first comparison', async () => {
    const { ended, text } = await inside((terminal) => reportParity('ticks', {}, terminal))
    expect(text).toBe('nothing was compared yet; compare: sluice parity run ticks\n')
    expect(ended).toBe(1)
  })
})

describe('a copy out of a store that reads a stream', () => {
  it('begins when all that was published before has come into the store', async () => {
    const stream = numberStream()
    const seen: number[] = []
    const handle = async ({ data }: { data: { n: number } }) => void seen.push(data.n)
    const consumer = start(bus.consume({ stream, group: 'g', order: 'none', handle }))
    await bus.publish(numbers(stream, 2, 3))
    await eventually(() => seen.length === 6)
    await bus.pauseGroup(stream, 'g')
    await eventually(() => bus.said.paused.length > 0)
    await bus.publish(numbers(stream, 2, 3, 3))
    const { signal } = new AbortController()
    const notes: string[] = []
    const terminal = { note: (text: string) => void notes.push(text) } as unknown as Terminal
    const wait = { clock: systemClock, terminal, signal }
    const of = (group: string) => untilDrained(bus, stream as never, group, wait)
    let isDrained = false
    const drained = of('g').then(() => {
      isDrained = true
    })
    // A group that nobody has is behind nothing.
    await of('nobody')
    expect([isDrained, seen.length]).toEqual([false, 6])
    await bus.resumeGroup(stream, 'g')
    await drained
    expect(seen.length).toBe(12)
    await consumer.stop()
  })
})
