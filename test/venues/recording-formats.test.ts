import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { parseBoards, quote as quoteShape } from '../../src/catalog/index.ts'
import { isSluiceError, messageOf } from '../../src/kernel/index.ts'
import { openRecording, type RecordingStep } from '../../src/venues/index.ts'
import { quoteProblem } from '../../src/venues/recordings/recording.ts'
import { parseTickTime } from '../../src/venues/recordings/tick-time.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-recordings-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const names = (function* () {
  for (let i = 0; ; i += 1) yield `r${i}.jsonl`
})()
function write(content: string | Buffer, name = names.next().value): string {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
  return path
}
async function read(path: string, boards = '', levels?: number): Promise<RecordingStep[]> {
  const opened = await openRecording(path, { boardOf: parseBoards(boards), ...(levels && { levels }) })
  const steps: RecordingStep[] = []
  for await (const step of opened.steps()) steps.push(step)
  return steps
}
const problem = async (path: string, code: Parameters<typeof isSluiceError>[1] = 'RECORDING_INVALID') => {
  const error = await read(path).catch((thrown) => thrown)
  return isSluiceError(error, code) ? messageOf(error) : error
}

const bookLine = (more: object = {}) =>
  JSON.stringify({
    timestamp: 1_592_726_829.5,
    exchange: 'EX1',
    bids: [
      ['9.5', '1'],
      ['9', '2'],
    ],
    asks: [[10, 1.5]],
    ...more,
  })

describe('a recording of books', () => {
  it('reads the same plain, gzipped and as zstd with a window of 2^27', async () => {
    const text = `${bookLine()}\n\n${bookLine({ exchange: 'EX2' })}`
    const window = {
      params: { [constants.ZSTD_c_windowLog]: 27, [constants.ZSTD_c_enableLongDistanceMatching]: 1 },
    }
    const plain = await read(write(text))
    expect(plain.map((s) => s.messages[0]?.venue)).toEqual(['EX1', 'EX2'])
    expect(plain[0]).toEqual({
      time: 1_592_726_829_500,
      rejected: [],
      messages: [
        {
          venue: 'EX1',
          board: 'BTC/BRL',
          simulated: false,
          quotes: [
            {
              symbol: 'BTC/BRL',
              bids: [
                [9.5, 1],
                [9, 2],
              ],
              asks: [[10, 1.5]],
              time: 1_592_726_829_500,
            },
          ],
        },
      ],
    })
    expect(await read(write(gzipSync(text)))).toEqual(plain)
    expect(await read(write(zstdCompressSync(text, window)))).toEqual(plain)
  })

  it('reads all of a file that is several packed files behind each other', async () => {
    const lines = [bookLine(), bookLine({ exchange: 'EX2' }), bookLine({ exchange: 'EX3' })]
    const joined = (pack: (text: string) => Buffer) =>
      write(Buffer.concat(lines.map((line) => pack(`${line}\n`))))
    for (const path of [joined(zstdCompressSync), joined(gzipSync)]) {
      const steps = await read(path)
      expect(steps.map(({ messages }) => messages[0]?.venue)).toEqual(['EX1', 'EX2', 'EX3'])
    }
  })

  it('keeps as many levels as it is told', async () => {
    const [step] = await read(write(bookLine()), '', 1)
    expect(step?.messages[0]?.quotes[0]?.bids).toEqual([[9.5, 1]])
  })

  it('names line and reason of what is no snapshot', async () => {
    const second = (line: string) => problem(write(`${bookLine()}\n${line}\n`))
    expect(await second('{"timestamp"')).toMatch(/line 2: is not JSON/)
    expect(await second('[]')).toMatch(/line 2: has no timestamp/)
    expect(await second(bookLine({ exchange: 1 }))).toMatch(/line 2: has no exchange/)
    expect(await second(bookLine({ asks: null }))).toMatch(/line 2: lacks bids or asks/)
    expect(await second(bookLine({ asks: [7] }))).toMatch(/line 2: level 1/)
    expect(await problem(write('hello'))).toMatch(/line 1: begins with "hello"/)
    expect(await problem(write(gzipSync(bookLine().repeat(9_999)).subarray(0, -20)))).toMatch(
      /cannot be unpacked/,
    )
    expect(await problem(join(folder, 'absent'), 'FILE_NOT_FOUND')).toContain('absent')
  })

  it('rejects what no market can mean and goes on', async () => {
    const bad = [
      { bids: [['-1', '1']] },
      { bids: [['', '1']] },
      { bids: [[11, 1]] },
      { asks: [[10, 0]] },
      {
        bids: [
          [8, 1],
          [9, 1],
        ],
      },
    ].map(bookLine)
    const steps = await read(write([...bad, bookLine()].join('\n')))
    expect(steps.map((s) => s.rejected[0]?.reason)).toEqual([
      'bid price is not positive',
      'bid price is not positive',
      'crossed: best bid above best ask',
      'ask quantity is not positive',
      'bids are not best first',
      undefined,
    ])
    expect(steps.map((s) => s.messages.length)).toEqual([0, 0, 0, 0, 0, 1])
    expect(steps[4]?.rejected[0]?.where).toMatch(/line 5$/)
  })

  it('judges quotes exactly as the shape of the stream does', () => {
    const number = fc.oneof(fc.double({ min: -2, max: 20, noNaN: false }), fc.integer({ min: 0, max: 12 }))
    const side = fc.array(fc.tuple(number, number), { maxLength: 4 })
    const sorted = (direction: number) =>
      fc
        .array(fc.tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 9 })), { maxLength: 4 })
        .map((levels) => levels.sort((a, b) => (a[0] - b[0]) * direction))
    const bids = fc.oneof(side, sorted(-1))
    const asks = fc.oneof(side, sorted(1))
    let good = 0
    fc.assert(
      fc.property(bids, asks, fc.oneof(number, fc.constant(1e12)), (b, a, time) => {
        const fit = quoteShape.safeParse({ symbol: 'A/B', bids: b, asks: a, time }).success
        if (fit) good += 1
        expect(quoteProblem({ bids: b, asks: a, time }) === undefined).toBe(fit)
      }),
      { numRuns: 3_000 },
    )
    expect(good).toBeGreaterThan(50)
  })
})

describe('a recording of ticks', () => {
  const tick = (symbol: string, time: string, bid: number, ask: number, lp = 'LP') => ({
    broker_id: 'x {[,]} "',
    symbol,
    bid,
    ask,
    timestamp: `2026-01-19T17:21:${time}+05:30`,
    lp,
  })

  it('reads 100 ns and zones exactly', () => {
    const time = parseTickTime('2026-01-19T17:21:51.8949576+05:30')
    expect(time?.nanos).toBe(1_768_823_511_894_957_600n)
    // 2^-12 ms is what a float64 keeps.
    expect(Math.abs(time!.ms - 1_768_823_511_894 - 0.9576)).toBeLessThan(2 ** -12)
    expect(parseTickTime('2026-01-19T11:51:51Z')?.nanos).toBe(1_768_823_511_000_000_000n)
    for (const wrong of ['2026-01-19', '2026-13-19T11:51:51Z', '2026-01-19T11:51:51', 7]) {
      expect(parseTickTime(wrong)).toBeUndefined()
    }
  })

  it('gives what one source stamped alike as one message, ordered by symbol and position, for each board', async () => {
    write(
      JSON.stringify([tick('EURUSD', '01.0000001', 1.1, 1.2), tick('EURUSD', '01.0000001', 1.11, 1.2)]),
      'day/EURUSD.json',
    )
    write(
      JSON.stringify([
        tick('AUDUSD', '01.0000001', 0.6, 0.601),
        tick('AUDUSD', '01.0000001', 0.6, 0.601, 'OTHER'),
        tick('AUDUSD', '01.0000002', 0.7, 0.701),
      ]),
      'day/AUDUSD.json',
    )
    const steps = await read(join(folder, 'day'), 'fx=EUR/USD,AUD/USD')
    const shown = steps.map((s) =>
      s.messages.map((m) => [m.venue, ...m.quotes.map((q) => [q.symbol, q.bids[0]?.[0]])]),
    )
    // The first EUR/USD tick has a spread of 9 %: rejected.
    expect(shown).toEqual([
      [
        ['LP', ['AUD/USD', 0.6]],
        ['OTHER', ['AUD/USD', 0.6]],
      ],
      [['LP', ['AUD/USD', 0.7]]],
    ])
    expect(steps[0]?.rejected.map((r) => r.reason)).toEqual(['spread is above 1 %', 'spread is above 1 %'])
  })

  it('rejects bad ticks with their position, and throws on what is no tick', async () => {
    const path = write(
      JSON.stringify([tick('EURUSD', '02', 0, 1), tick('EURUSD', '03', 1, 1), tick('EURUSD', '01', 1, 1)]),
    )
    const steps = await read(path)
    expect(
      steps.flatMap((s) => s.rejected.map((r) => [r.where.split(' ').slice(-2).join(' '), r.reason])),
    ).toEqual([
      ['item 1', 'bid price is not positive'],
      ['item 3', 'time is before that of the tick above'],
    ])
    expect(await problem(write('[{"symbol":"EURUSD"}]'))).toMatch(/item 1: timestamp|item 1: lp/)
    expect(await problem(write('[{"symbol":1}]'))).toMatch(/item 1: symbol/)
    expect(await problem(write(JSON.stringify([tick('EURUSD', '02', 1, 1)]).slice(0, -9)))).toMatch(/cut off/)
    expect(await problem(write('[ 7 ]'))).toMatch(/outside of an object/)
  })
})

describe('a folder', () => {
  it('of books is read in the order of time', async () => {
    write(`${bookLine({ timestamp: 1 })}\n${bookLine({ timestamp: 3 })}`, 'two/a.jsonl')
    write(`${bookLine({ timestamp: 2, exchange: 'EX2' })}`, 'two/b.jsonl')
    expect((await read(join(folder, 'two'))).map((s) => s.time)).toEqual([1_000, 2_000, 3_000])
  })

  it('with two formats, or none, is refused', async () => {
    write(bookLine(), 'mixed/a.jsonl')
    write('[]', 'mixed/b.json')
    expect(await problem(join(folder, 'mixed'))).toContain('several formats: books, ticks')
    mkdirSync(join(folder, 'empty'))
    expect(await problem(join(folder, 'empty'))).toContain('no recording')
  })
})
