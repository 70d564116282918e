// The only reader of the environment. Every setting is one line of `SETTINGS`: shape, default, explanation;
// `.env.example` and docs/SETTINGS.md are generated from it. What is set in the environment wins over `.env`.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { z } from 'zod'
import { messageOf, SluiceError } from './errors.ts'
import { parseHolidays } from './holidays.ts'
import { parseRedisUrl, splitRedisUrls } from './redis-url.ts'

const text = (fallback = '') => z.string().default(fallback)
const whole = (fallback: number, min: number, max: number) =>
  z.coerce.number().int().min(min).max(max).default(fallback)
const number = (fallback: number, min: number, max: number) =>
  z.coerce.number().min(min).max(max).default(fallback)
const choice = <const T extends readonly [string, ...string[]]>(options: T, fallback: T[number]) =>
  z.enum(options).default(fallback as never)

const someOf = (...all: readonly string[]) =>
  text().refine((list) => list.split(',').every((one) => ['', ...all].includes(one)), `any of ${all}`)

/** An even number of servers could tie, and one that is named twice would vote twice. */
function isVote(list: string): boolean {
  const urls = splitRedisUrls(list)
  const areUrls = urls.every((url) => redisUrl.safeParse(url).success)
  return areUrls && urls.length % 2 === 1 && new Set(urls).size === urls.length
}

const readBy = (read: (text: string) => unknown, see = '') =>
  z.string().superRefine((text, context) => {
    try {
      read(text)
    } catch (error) {
      context.addIssue({ code: 'custom', message: messageOf(error) + see })
    }
  })
const redisUrl = readBy(parseRedisUrl, ' (docs/REDIS.md)')

interface Setting {
  shape: z.ZodType
  about: string
}

export const SETTINGS = {
  PORT: { shape: whole(8080, 1, 65535), about: 'Port of the gateway: page, API, health, metrics, queues.' },
  HOST: {
    shape: text('127.0.0.1'),
    about: 'Address the gateway listens on. 0.0.0.0 shows it to the network.',
  },
  CONSOLE_TOKEN: {
    shape: z
      .string()
      .regex(/^([\x21-\x7e]{16,})?$/, 'at least 16 visible characters of ASCII without spaces')
      .default(''),
    about:
      'Who sends it as a bearer token may change something through the API (docs/API.md). Empty: nobody may.',
  },
  DATA_DIR: { shape: text('./data'), about: 'Folder of everything kept on disk.' },
  LOG_LEVEL: {
    shape: choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'info'),
    about: 'Least level that is logged.',
  },
  REDIS_URL: {
    shape: redisUrl.default(''),
    about:
      'redis://host:6379, redis+sentinel://host1,host2/master or redis+cluster://host1,host2 (rediss for TLS), with user and password where needed: docs/REDIS.md. Empty: 127.0.0.1:6379 for workers; `npm start` runs its own server.',
  },
  REDIS_CACHE_URL: {
    shape: z.union([z.literal(''), redisUrl]).default(''),
    about: 'The server of the cache, which may lose everything at any time. Empty: the one of REDIS_URL.',
  },
  CACHE_ENTRIES: { shape: whole(10_000, 1, 10_000_000), about: 'Answers that a process keeps in memory.' },
  CACHE_LOADS: {
    shape: whole(16, 1, 1_000),
    about: 'Answers that a process loads from the database at once; others wait, for 2.5 s at most.',
  },
  CACHE_WARM_RATE: {
    shape: whole(10_000, 1, 10_000_000),
    about: 'Answers a second that are put into a Redis which knows none yet.',
  },
  PROJECTIONS: {
    shape: someOf('nof0', 'market', 'ticks', 'candles', 'insights'),
    about: 'Redis keys kept for readers of the replaced systems (docs/PROJECTIONS.md). Empty: none.',
  },
  REDIS_LOCK_URLS: {
    shape: z
      .string()
      .refine(isVote, 'an odd number of different addresses of Redis, separated by commas')
      .default(''),
    about:
      'Independent servers for locks, an odd number because a majority decides, separated by commas. Empty: the one of REDIS_URL.',
  },
  REDIS_WAIT_REPLICAS: {
    shape: whole(0, 0, 10),
    about: 'Replicas that must confirm what goes to a durable stream (WAIT).',
  },
  DATABASE_DRIVER: { shape: choice(['sqlite', 'postgres'], 'sqlite'), about: 'Where the truth is kept.' },
  DATABASE_URL: {
    shape: z.union([z.literal(''), z.url({ protocol: /^postgres(ql)?$/ })]).default(''),
    about: 'postgres:// address; needed when DATABASE_DRIVER=postgres.',
  },
  DATABASE_POOL: { shape: whole(5, 1, 100), about: 'Postgres connections of one worker.' },
  SQLITE_DB_PATH: { shape: text(), about: 'The SQLite file. Empty: DATA_DIR/sluice.db.' },
  TICKS_BACKEND: {
    shape: choice(['sqlite', 'json', 'dual', 'postgres'], 'sqlite'),
    about:
      'Where ticks are kept: a SQLite file a day, JSON files, both as the cut-over says (docs/CUTOVER.md), or DATABASE_URL.',
  },
  TICKS_DIR: { shape: text(), about: 'Folder of the ticks. Empty: DATA_DIR/ticks.' },
  TICKS_QUEUE_MAX: {
    shape: whole(100_000, 1_000, 10_000_000),
    about: 'Ticks that may wait for the disk in one process.',
  },
  TICKS_QUEUE_FULL: {
    shape: choice(['wait', 'spill'], 'wait'),
    about:
      'When so many wait, a file is locked or the disk fails: the stream waits, or ticks go to spill files meanwhile.',
  },
  TICKS_BATCH_MS: {
    shape: whole(200, 1, 60_000),
    about:
      'How long the few ticks of a quiet stream are gathered into one write before they are acknowledged, ms. Many do not wait.',
  },
  TICKS_ARCHIVE_AFTER_DAYS: {
    shape: whole(1, 0, 3_650),
    about: 'Days that ended so many days ago are compressed.',
  },
  TICKS_JUMP_PCT: {
    shape: number(10, 0, 10_000),
    about:
      'A mid that moves by more within a minute is held back until three more ticks agree; else it goes to quarantine. 0: never, %.',
  },
  QUARANTINE_DAYS: {
    shape: whole(90, 1, 36_500),
    about: 'Ticks and candles that were not used are kept in the table quarantine for so many days.',
  },
  TICKS_BROADCAST_MIN_PCT: {
    shape: number(0.001, 0, 100),
    about: 'A tick is told on its channel when bid, ask or spread moved by this much, %. All ticks are kept.',
  },
  CANDLES_BACKEND: {
    shape: choice(['sql', 'dual'], 'sql'),
    about:
      'Where candles are kept: the database, or the database and CSV files as the cut-over says (docs/CUTOVER.md).',
  },
  FALLBACK_TO_CSV: {
    shape: choice(['true', 'false'], 'true'),
    about:
      'With CANDLES_BACKEND=dual: when the database fails, the CSV files answer, and the answer says so.',
  },
  MARKET_HOLIDAYS: {
    shape: readBy(parseHolidays).default(''),
    about:
      'Days without trade in Ho Chi Minh City, or that end early (local time): 2026-01-01,2026-02-16@11:30.',
  },
  DRAIN_MS: { shape: whole(10_000, 0, 600_000), about: 'Time a worker has to finish what it holds, ms.' },
  LEASE_MS: { shape: whole(5_000, 500, 60_000), about: 'Life of a partition lease without renewal, ms.' },
  VISIBILITY_MS: {
    shape: whole(30_000, 1_000, 3_600_000),
    about: 'An entry that a silent consumer held for this long goes to another, ms.',
  },
  STATUS_EVERY_MS: { shape: whole(5_000, 500, 3_600_000), about: 'Pause between status lines, ms.' },
  FEED: {
    shape: z
      .string()
      .regex(/^(simulated|none|replay:.+)$/, 'one of simulated, none, replay:<file>')
      .default('simulated'),
    about: 'What the feed worker publishes: simulated, none, or replay:<recording>.',
  },
  FEED_SPEED: {
    shape: number(0, 0, 100_000),
    about: 'Speed of a replay: 1 is as recorded, 10 is ten times as fast, 0 is as fast as possible.',
  },
  SIM_SEED: { shape: whole(1, 0, 2 ** 31), about: 'Seed of the simulated market.' },
  SIM_UPDATES_PER_SECOND: {
    shape: number(5, 0.1, 1_000),
    about: 'Book updates a second of each simulated instrument at each venue.',
  },
  VENUES_FILE: {
    shape: text(),
    about: 'JSON file of venues (docs/VENUES.md), added to the simulated and recorded ones.',
  },
  MARKET_BOARDS: {
    shape: text(),
    about: 'Symbols that must be read together, as name=SYM,SYM;name=SYM. Any other symbol is its own board.',
  },
  MARKET_TIME: {
    shape: choice(['wall', 'event'], 'wall'),
    about: 'The clock of executors and the paper venue: wall for a live market, event for a recording.',
  },
  BOOK_LEVELS: { shape: whole(20, 1, 1_000), about: 'Levels of each side that a published book keeps.' },
  QUOTE_MAX_AGE_MS: { shape: whole(5_000, 1, 86_400_000), about: 'Older quotes are not traded on, ms.' },
  QUOTE_MAX_AHEAD_MS: {
    shape: whole(1_000, 0, 86_400_000),
    about: 'A quote, or an opportunity at the executor, this far in the future is refused, ms.',
  },
  VENUE_MAX_DEVIATION_PCT: {
    shape: number(5, 0.1, 1_000),
    about:
      'Two venues whose mids differ by more than this are not one market (real ones differ by less than 1 %): the pair is not traded, %.',
  },
  VENUE_MAX_JUMP_PCT: {
    shape: number(50, 1, 10_000),
    about: 'A venue whose mid moves by more than this within a minute is suspended, %.',
  },
  VENUE_QUARANTINE_MS: {
    shape: whole(60_000, 0, 86_400_000),
    about: 'How long venues must agree again, or be calm, before what was suspended is traded, ms.',
  },
  FEE_BPS: {
    shape: z.union([z.literal(''), z.coerce.number().min(0).max(1_000)]).default(''),
    about: 'Taker fee of every venue in basis points. Empty: each venue has its own.',
  },
  MIN_EDGE_BPS: {
    shape: number(1, -10_000, 10_000),
    about: 'Least edge after fees worth executing, bps; each level that is taken earns more than this.',
  },
  MAX_NOTIONAL: {
    shape: z
      .string()
      .regex(/^\d+(\.\d+)?$/, 'a decimal number')
      .default('50000'),
    about: 'Largest value of one leg, in the quote currency.',
  },
  OPPORTUNITY_MAX_AGE_MS: {
    shape: whole(2_000, 1, 86_400_000),
    about: 'An executor refuses an opportunity older than this, ms (wall time only).',
  },
  ORDER_TIMEOUT_MS: {
    shape: whole(2_000, 10, 600_000),
    about: 'An order unanswered for this long is ambiguous, ms.',
  },
  PAPER_BALANCES: {
    shape: text('USDT=2000000,BTC=20,ETH=400,SOL=8000,XRP=600000,DOGE=4000000,ADA=1500000,BRL=5000000'),
    about: 'What every paper venue starts with, as ASSET=amount,….',
  },
  PAPER_LATENCY_MS: { shape: whole(20, 0, 60_000), about: 'Time from an order to its fill on paper, ms.' },
  PAPER_REJECT_RATE: { shape: number(0, 0, 1), about: 'Share of paper orders that are rejected.' },
  PAPER_PARTIAL_RATE: { shape: number(0, 0, 1), about: 'Share of paper orders that fill in part only.' },
  PAPER_SILENT_RATE: { shape: number(0, 0, 1), about: 'Share of paper orders whose answer never comes.' },
} as const satisfies Record<string, Setting>

export type SettingName = keyof typeof SETTINGS
type Raw = { [K in SettingName]: z.output<(typeof SETTINGS)[K]['shape']> }

/** Every setting, checked, with what depends on others filled in. */
export type Config = Omit<Raw, 'FEE_BPS'> & { FEE_BPS: number | '' }

export type Environment = Record<string, string | undefined>

/** The process's environment over the `.env` file of the folder it runs in. */
export function processEnvironment(folder: string = process.cwd()): Environment {
  return { ...readEnvFile(join(folder, '.env')), ...process.env }
}

/** Throws CONFIG_INVALID naming each wrong variable, what was given and what is allowed. */
export function readConfig(environment: Environment = processEnvironment()): Config {
  const problems: string[] = []
  const values: Record<string, unknown> = {}
  for (const [name, setting] of Object.entries(SETTINGS) as [SettingName, Setting][]) {
    const given = environment[name]?.trim()
    const parsed = setting.shape.safeParse(given === '' ? undefined : given)
    if (parsed.success) values[name] = parsed.data
    else problems.push(problemOf(name, given ?? '', parsed.error))
  }
  const config = values as Config
  if (config.DATABASE_DRIVER === 'postgres' && !config.DATABASE_URL) {
    problems.push('DATABASE_URL is empty; DATABASE_DRIVER=postgres needs a postgres:// address')
  }
  if (config.TICKS_BACKEND === 'postgres' && !config.DATABASE_URL) {
    problems.push('DATABASE_URL is empty; TICKS_BACKEND=postgres needs a postgres:// address')
  }
  if (problems.length > 0) {
    throw new SluiceError('CONFIG_INVALID', problems.join('\n'), { problems })
  }
  return {
    ...config,
    REDIS_URL: config.REDIS_URL || 'redis://127.0.0.1:6379',
    SQLITE_DB_PATH: config.SQLITE_DB_PATH || join(config.DATA_DIR, 'sluice.db'),
    TICKS_DIR: config.TICKS_DIR || join(config.DATA_DIR, 'ticks'),
  }
}

function problemOf(name: SettingName, given: string, error: z.ZodError): string {
  // A URL may hold a password: name the variable, not its value.
  const shown = /URL|TOKEN/.test(name) ? 'a value' : JSON.stringify(given)
  return `${name} is ${shown}; allowed: ${error.issues.map((issue) => issue.message).join(', ')}`
}

function readEnvFile(path: string): Environment {
  try {
    return parseEnv(readFileSync(path, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw new SluiceError('CONFIG_INVALID', `${path} cannot be read.`, { path }, error)
  }
}
