// `npm run chaos`: one run by hand, with a line that says how far it is and a table that says what held.
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { type DatabaseOptions, migrate } from '../../src/db/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { startPostgres } from '../support/postgres-server.ts'
import { FAULTS, type Fault } from './processes.ts'
import { reportOf } from './report.ts'
import { type Progress, runChaos } from './run.ts'
import { STRIKES } from './strikes.ts'

interface Options {
  readonly seed: number
  readonly messages: number
  readonly database: 'sqlite' | 'postgres'
  readonly fault?: Fault
  readonly workers: number
  readonly publishers: number
  readonly lease: number
  readonly gap: number
  readonly strikes?: string[]
  readonly json?: boolean
}

const whole = (text: string) => {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('a whole number is needed')
  return Number(text)
}

const command = new Command('npm run chaos --')
  .description('Kills, stops and cuts workers, publishers and Redis under a seed, then checks the books.')
  .option('--seed <n>', 'repeats the strikes of a run', whole, Math.floor(Math.random() * 1e9))
  .option('--messages <m>', 'how many are published', whole, 20_000)
  .addOption(
    new Option('--database <name>', 'where effects go').choices(['sqlite', 'postgres']).default('sqlite'),
  )
  .addOption(new Option('--fault <name>', 'plants a fault that the checker must find').choices(FAULTS))
  .option('--strikes <names...>', `only these: ${STRIKES.map(({ name }) => name).join(', ')}`)
  .option('--workers <n>', 'at the beginning', whole, 3)
  .option('--publishers <n>', '', whole, 2)
  .option('--lease <ms>', 'life of a partition lease', whole, 800)
  .option('--gap <ms>', 'between two strikes of a kind, on average', whole, 1_000)
  .option('--json', 'the result as one JSON value')

const options = command.parse().opts<Options>()
const { database, lease: leaseMs, gap: gapMs, json, ...more } = options
const unknown = options.strikes?.filter((name) => !STRIKES.some((strike) => strike.name === name)) ?? []
if (unknown.length > 0) command.error(`no strike is called ${unknown.join(', ')}`)

// Servers and processes go with this one.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const folder = mkdtempSync(join(tmpdir(), 'sluice-chaos-'))
const journal = createWriteStream(join(folder, 'journal.jsonl'))
const place = database === 'postgres' ? await onPostgres() : onSqlite()
let isBroken = true
try {
  await migrate(place.options)
  say(`seed ${options.seed}, ${options.messages} messages on ${database}\n`)
  const result = await runChaos({
    ...more,
    leaseMs,
    gapMs,
    database: place.options,
    onProgress: progressLine(),
    note: (line) => void journal.write(`${JSON.stringify(line)}\n`),
  })
  process.stderr.write(process.stderr.isTTY ? '\r\x1b[K' : '')
  process.stdout.write(json ? `${JSON.stringify(toPlain(result))}\n` : reportOf(result))
  isBroken = result.verdicts.some(({ count }) => count > 0)
} finally {
  await place.remove()
  await new Promise<void>((resolve) => journal.end(resolve))
  if (isBroken) say(`what led to it is in ${folder}\n`)
  else rmSync(folder, { recursive: true, force: true })
}
// At once: after a run Node may go on cleaning up at 100 % for half an hour.
process.stdout.write('', () => process.exit(isBroken ? 1 : 0))

function onSqlite() {
  const sqlite: DatabaseOptions = { driver: 'sqlite', path: join(folder, 'chaos.db'), clock: systemClock }
  return { options: sqlite, remove: async () => undefined }
}

async function onPostgres() {
  const server = await startPostgres()
  const postgres: DatabaseOptions = { driver: 'postgres', url: server.url, clock: systemClock }
  return { options: postgres, remove: () => server.stop() }
}

/** In a terminal one line that changes, elsewhere one every ten seconds. */
function progressLine() {
  const began = performance.now()
  const isTerminal = process.stderr.isTTY
  let saidAt = Number.NEGATIVE_INFINITY
  return ({ confirmed, rows, last }: Progress) => {
    const now = performance.now()
    if (now - saidAt < (isTerminal ? 200 : 10_000)) return
    saidAt = now
    const line = `${Math.round((now - began) / 1_000)} s: ${confirmed} confirmed, ${rows} rows; last: ${last}`
    process.stderr.write(isTerminal ? `\r\x1b[K${line}` : `${line}\n`)
  }
}

function toPlain<T extends { tally: { said: Set<string> } }>(result: T) {
  return { ...result, tally: { ...result.tally, said: [...result.tally.said] } }
}

function say(text: string): void {
  process.stderr.write(text)
}
