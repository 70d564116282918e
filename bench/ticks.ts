// What keeping ticks costs beside the reference's table and beside the bare files: `node bench/ticks.ts [--rounds n]
// [--only name] [--duckdb folder] [--json]`. All take turns in one process, in folders of the system's temporary one.
import { parseArgs } from 'node:util'
import { type Contestant, compete } from './rounds.ts'
import { sizes, withClosedDay } from './ticks-archive.ts'
import {
  ingest,
  ingestBare,
  ingestLean,
  ingestReference,
  loopDelay,
  loopDelayBare,
  loopDelayIdle,
} from './ticks-ingest.ts'
import * as reads from './ticks-reads.ts'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
    duckdb: { type: 'string', default: '.' },
    json: { type: 'boolean', default: false },
  },
})

interface Question {
  readonly name: string
  readonly about: string
  readonly unit: 'ticks/s' | 'ms'
  readonly contestants: readonly Contestant[]
  /** Each of ours over, or under, this one. */
  readonly against: string
  /** What each of ours should reach, by its name. */
  readonly targets: Readonly<Record<string, string>>
}

const INGEST: readonly Question[] = [
  {
    name: 'ingest',
    about: 'durable ingest of 128 symbols into the open day',
    unit: 'ticks/s',
    contestants: [
      { name: 'sluice', run: ingest },
      { name: 'the same files, no queue', run: ingestBare },
      { name: 'reference, batch 500', run: ingestReference },
      { name: 'lean rows, batch 5,000', run: ingestLean },
    ],
    against: 'reference, batch 500',
    targets: { sluice: '≥ 250,000 and ≥ 8 ×' },
  },
  {
    name: 'loop',
    about: 'p99 of the main loop while 250,000 ticks/s are stored',
    unit: 'ms',
    contestants: [
      { name: 'sluice', run: loopDelay },
      { name: 'the same files, no thread', run: loopDelayBare },
      { name: 'nothing stored', run: loopDelayIdle },
    ],
    against: 'nothing stored',
    targets: { sluice: '≤ 5 ms' },
  },
]

const readQuestions = (library: reads.Library): Question[] => {
  const from = (read: (library: reads.Library) => Promise<number>) => () => read(library)
  return [
    {
      name: 'recent',
      about: 'newest 100 of a symbol',
      unit: 'ms',
      contestants: [
        { name: 'sluice, ring', run: from(reads.recentRing) },
        { name: 'sluice, open day', run: from(reads.recentDisk) },
        { name: 'sluice, archive', run: from(reads.recentArchive) },
        { name: 'reference', run: from(reads.recentReference) },
      ],
      against: 'reference',
      targets: { 'sluice, ring': '≤ 0.005 ms', 'sluice, open day': '≤ 0.5 ms' },
    },
    {
      name: 'hour',
      about: 'an hour of a symbol, 3,600 ticks',
      unit: 'ms',
      contestants: [
        { name: 'sluice, open day', run: from(reads.hourOpen) },
        { name: 'sluice, archive', run: from(reads.hourArchive) },
        { name: 'reference', run: from(reads.hourReference) },
      ],
      against: 'reference',
      targets: { 'sluice, open day': '≤ 5 ms', 'sluice, archive': '≤ 5 ms' },
    },
    {
      name: 'day',
      about: 'a day of a symbol, 86,400 ticks',
      unit: 'ms',
      contestants: [
        { name: 'sluice, open day', run: from(reads.dayOpen) },
        { name: 'sluice, archive', run: from(reads.dayArchive) },
        { name: 'reference', run: from(reads.dayReference) },
      ],
      against: 'reference',
      targets: { 'sluice, open day': '≤ 40 ms', 'sluice, archive': '≤ 40 ms' },
    },
  ]
}

const asked = (name: string) => options.only === '' || options.only.split(',').includes(name)

for (const question of INGEST) if (asked(question.name)) await answer(question)
if (['recent', 'hour', 'day'].some(asked)) {
  const library = await reads.openLibrary()
  try {
    for (const question of readQuestions(library)) if (asked(question.name)) await answer(question)
  } finally {
    await library.close()
  }
}
if (asked('rewrite')) {
  await withClosedDay(({ rewrite, squeeze }) =>
    answer({
      name: 'rewrite',
      about: 'a closed day into its archive, verified, 1,382,400 ticks',
      unit: 'ticks/s',
      contestants: [
        { name: 'sluice', run: rewrite },
        { name: "reference's file, zstd 3", run: squeeze },
      ],
      against: "reference's file, zstd 3",
      targets: { sluice: '≥ 1,000,000' },
    }),
  )
}
if (asked('bytes')) await answerSizes()

async function answer({ name, about, unit, contestants, against, targets }: Question): Promise<void> {
  const standings = await compete(contestants, Number(options.rounds), (round) =>
    process.stderr.write(`${name}: round ${round < 0 ? 'to warm up' : round + 1}\n`),
  )
  const base = standings.find((one) => one.name === against)!.median
  for (const { name: who, median, least, most } of standings) {
    const ratio = Number((median / base).toPrecision(3))
    const target = targets[who]
    const line = { question: name, about, who, unit, median, least, most, ratio, against, target }
    const show = (figure: number) =>
      unit === 'ms' ? figure.toPrecision(3) : Math.round(figure).toLocaleString('en')
    const range = `${show(least)} to ${show(most)} ${unit}`
    say(
      line,
      `${name.padEnd(8)} ${who.padEnd(26)} ${show(median).padStart(10)}  ${range.padEnd(32)} ${ratio} ×${target ? `  (${target})` : ''}`,
    )
  }
}

async function answerSizes(): Promise<void> {
  for (const { of, who, bytes } of await sizes(options.duckdb)) {
    const target = who === 'sluice, archived' && of === 'FX-like feed' ? '≤ 4.5' : undefined
    const line = { question: 'bytes', about: `bytes a tick, ${of}`, who, bytes, target }
    const shown = bytes === undefined ? 'absent: npm install @duckdb/node-api, --duckdb' : bytes.toFixed(2)
    say(line, `bytes    ${who.padEnd(26)} ${shown.padStart(10)}  ${of}${target ? `  (${target})` : ''}`)
  }
}

function say(line: object, text: string): void {
  process.stdout.write(options.json ? `${JSON.stringify(line)}\n` : `${text}\n`)
}
