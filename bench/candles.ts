// What candles in SQL cost: `node bench/candles.ts [--rounds n] [--only name] [--json]`. Queries against a scan of the
// CSV file that the reference would make, writes against bare prepared inserts of rows that are ready. All take turns in
// one process, on a SQLite file (synchronous=FULL) and a Postgres that is started for the run (fsync off).
import { parseArgs } from 'node:util'
import {
  correct,
  leanScan,
  query,
  rawPostgres,
  rawSqlite,
  rawUnnest,
  scan,
  write,
} from './candles-contestants.ts'
import { openStage, type Stage } from './candles-stage.ts'
import { type Contestant, compete } from './rounds.ts'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    only: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
  },
})

interface Question {
  readonly name: string
  readonly about: string
  readonly unit: 'rows/s' | 'ms'
  readonly contestants: (stage: Stage) => readonly Contestant[]
  /** The ratio is to this one: how many times as fast. */
  readonly against: string
  readonly target: string
}

const SCAN = 'scan of the CSV file'

const queries = (name: 'days' | 'minutes', about: string): Question => ({
  ...{ name, about, unit: 'ms', against: SCAN, target: '≥ 50' },
  contestants: (stage) => [
    { name: 'sluice, SQLite', run: () => query(stage.sqlite, name) },
    { name: 'sluice, Postgres', run: () => query(stage.postgres, name) },
    { name: SCAN, run: () => scan(stage, name) },
    { name: 'scan that compares texts first', run: () => leanScan(stage, name) },
  ],
})

const QUESTIONS: readonly Question[] = [
  queries('days', 'one month (22 rows) of ten years of days'),
  queries('minutes', 'one day (240 rows) of a year of minutes'),
  {
    name: 'sqlite',
    about: 'write 20,000 bars in batches of 4,000, with their 13 columns',
    unit: 'rows/s',
    contestants: (stage) => [
      { name: 'sluice', run: () => write(stage.sqlite, stage) },
      { name: 'sluice, every bar corrected', run: () => correct(stage.sqlite, stage) },
      { name: 'prepared insert of finished rows', run: () => rawSqlite(stage) },
    ],
    ...{ against: 'prepared insert of finished rows', target: '≥ 60,000 rows/s' },
  },
  {
    name: 'postgres',
    about: 'write 20,000 bars in batches of 4,000, with their 13 columns',
    unit: 'rows/s',
    contestants: (stage) => [
      { name: 'sluice', run: () => write(stage.postgres, stage) },
      { name: 'sluice, every bar corrected', run: () => correct(stage.postgres, stage) },
      { name: 'prepared insert of finished rows', run: () => rawPostgres(stage) },
      { name: 'unnest of arrays of texts', run: () => rawUnnest(stage) },
    ],
    ...{ against: 'prepared insert of finished rows', target: '≥ 40,000 rows/s' },
  },
]

const asked = QUESTIONS.filter(({ name }) => options.only === '' || options.only.split(',').includes(name))
const stage = await openStage()
try {
  for (const { name, about, unit, contestants, against, target } of asked) {
    const standings = await compete(contestants(stage), Number(options.rounds), (round) =>
      process.stderr.write(`${name}: round ${round < 0 ? 'to warm up' : round + 1}\n`),
    )
    const base = standings.find((one) => one.name === against)!.median
    for (const { name: who, median, least, most } of standings) {
      const ratio = unit === 'ms' ? base / median : median / base
      const line = { question: name, about, who, unit, median, least, most, ratio, against, target }
      process.stdout.write(options.json ? `${JSON.stringify(line)}\n` : rowOf(line))
    }
  }
} finally {
  await stage.close()
}

interface Line {
  readonly question: string
  readonly who: string
  readonly unit: string
  readonly median: number
  readonly least: number
  readonly most: number
  readonly ratio: number
  readonly target: string
}

function rowOf({ question, who, unit, median, least, most, ratio, target }: Line): string {
  const show = (figure: number) =>
    unit === 'ms' ? figure.toFixed(3) : Math.round(figure).toLocaleString('en')
  const range = `${show(least)} to ${show(most)} ${unit}`
  const wanted = who.startsWith('sluice') ? `  (${target})` : ''
  return `${question.padEnd(9)} ${who.padEnd(34)} ${show(median).padStart(9)}  ${range.padEnd(34)} ${ratio.toFixed(2)} ×${wanted}\n`
}
