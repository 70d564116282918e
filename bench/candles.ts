// What candles in SQL cost: `node bench/candles.ts [--rounds n] [--only name] [--json]`. Queries against a scan of the
// CSV file that the reference would make, writes against bare prepared inserts of rows that are ready. All take turns in
// one process, on a SQLite file (synchronous=FULL) and a Postgres that is started for the run (fsync off).
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
import { ask, type Question } from './questions.ts'

const SCAN = 'scan of the CSV file'

const queries = (name: 'days' | 'minutes', about: string): Question<Stage> => ({
  ...{ name, about, unit: 'ms', against: SCAN, target: '≥ 50' },
  contestants: (stage) => [
    { name: 'sluice, SQLite', run: () => query(stage.sqlite, name) },
    { name: 'sluice, Postgres', run: () => query(stage.postgres, name) },
    { name: SCAN, run: () => scan(stage, name) },
    { name: 'scan that compares texts first', run: () => leanScan(stage, name) },
  ],
})

const QUESTIONS: readonly Question<Stage>[] = [
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

// How many times as fast.
await ask(QUESTIONS, {
  openStage,
  rounds: 7,
  ratioOf: (median, against, unit) => (unit === 'ms' ? against / median : median / against),
})
