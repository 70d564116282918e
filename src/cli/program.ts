// Every command with its arguments, its help and its examples. What each does is in the file of its name, which is
// loaded when it is needed: a worker at rest pays for its own code only.
import { Command } from 'commander'
import { readConfig } from '../kernel/index.ts'
import { addCacheCommands } from './cache-commands.ts'
import { addCandleCommands } from './candle-commands.ts'
import { JSON_OPTION } from './command-parts.ts'
import { addCutoverCommands } from './cutover-commands.ts'
import { addDeadLetterCommands } from './dead-letter-commands.ts'
import { addFundingCommands } from './funding-commands.ts'
import { addGroupCommands } from './group-commands.ts'
import { addImportCommands } from './import-commands.ts'
import { atLeast } from './numbers.ts'
import { projectVersion, workerNames } from './project.ts'
import type { PublishOptions } from './publish.ts'
import { openTerminal, type Terminal } from './terminal.ts'
import { addTickCommands } from './tick-commands.ts'

interface Json {
  readonly json?: boolean
}

interface ReplayOptions {
  readonly speed: number
  readonly feeBps: number
  readonly levels: number
}

const terminalOf = (options: Json): Terminal => openTerminal({ json: options.json })
const examples = (...lines: string[]) => `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}\n`

export function buildProgram(): Command {
  const program = new Command('sluice')
    .description('Turns market data into executed, accounted trades without losing or repeating one.')
    .version(projectVersion())
    .showHelpAfterError('(sluice help lists the commands)')
    .exitOverride()
    .addHelpText(
      'after',
      `${examples('sluice start', 'sluice doctor', 'sluice streams --json | jq .')}
Exit codes: 0 done, 1 failed, 2 called or configured wrongly. Settings come from the environment and .env: sluice settings.`,
    )
  addRunning(program)
  addData(program)
  addFeeding(program)
  addLooking(program)
  return program
}

function addRunning(program: Command): void {
  program
    .command('start')
    .description('Start Redis (unless REDIS_URL is set), the tables and every worker; Ctrl-C stops them.')
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      examples('sluice start', 'PORT=9000 sluice start', 'FEED=replay:books.jsonl.zst sluice start'),
    )
    .action(async (options: Json) => {
      const { start } = await import('./start.ts')
      await start(terminalOf(options))
    })
  program
    .command('worker')
    .description('Run one or several workers in this process.')
    .argument('<name...>', `any of: ${workerNames().join(', ')}`)
    .option(...JSON_OPTION)
    .addHelpText('after', examples('sluice worker detector', 'sluice worker executor ledger'))
    .action(async (names: string[]) => {
      const { runWorkers } = await import('./worker.ts')
      await runWorkers(names)
    })
}

function addData(program: Command): void {
  const db = program.command('db').description('The tables of the database.')
  db.command('migrate')
    .description('Apply what is pending; safe at any time and from many machines.')
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      examples('sluice db migrate', 'DATABASE_DRIVER=postgres DATABASE_URL=postgres://… sluice db migrate'),
    )
    .action(async (options: Json) => {
      const { migrateDatabase } = await import('./database.ts')
      const done = await migrateDatabase(readConfig())
      terminalOf(options).result({ done }, done)
    })
  db.command('status')
    .description('What is applied and what is pending; exit code 1 unless all is applied.')
    .option(...JSON_OPTION)
    .addHelpText('after', examples('sluice db status'))
    .action(async (options: Json) => {
      const { showMigrations } = await import('./database.ts')
      process.exitCode = await showMigrations(readConfig(), terminalOf(options))
    })
}

function addFeeding(program: Command): void {
  program
    .command('replay')
    .description(
      'Send a recording through the running system; `replay books <file>` computes offline instead.',
    )
    .argument('<file...>', 'a recording, or: books <file>')
    .option('--speed <times>', '1 as recorded, 10 ten times as fast, 0 as fast as possible', atLeast(0), 0)
    .option('--fee-bps <bps>', 'taker fee of each side in basis points (books only)', atLeast(0), 0)
    .option('--levels <count>', 'levels of each side that are swept (books only)', atLeast(1), 200)
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      examples(
        'sluice replay recording.jsonl.zst --speed 10',
        'sluice replay books recording.jsonl.zst --fee-bps 5 --json',
      ),
    )
    .action(async (words: string[], options: Json & ReplayOptions, command: Command) => {
      const terminal = terminalOf(options)
      const [first = '', file, ...rest] = words
      if (rest.length > 0 || (file !== undefined && first !== 'books'))
        command.error('error: one recording at a time')
      if (file === undefined) {
        const { replayThroughSystem } = await import('./replay.ts')
        return replayThroughSystem(first, options.speed, terminal)
      }
      const { replayBooksFile } = await import('./replay-offline.ts')
      await replayBooksFile(file, options, terminal)
    })
  program
    .command('publish')
    .description('Put one quote into the input stream, as an outside feed would.')
    .argument('<venue>', 'a venue that is configured')
    .argument('<symbol>', 'BASE/QUOTE')
    .requiredOption('--bid <price>', 'best bid', atLeast(0))
    .requiredOption('--ask <price>', 'best ask', atLeast(0))
    .option('--bid-size <quantity>', 'in base units', atLeast(0), 1)
    .option('--ask-size <quantity>', 'in base units', atLeast(0), 1)
    .option('--time <ms>', 'when it was true, ms since 1970 (default: now)', atLeast(1))
    .option(...JSON_OPTION)
    .addHelpText('after', examples('sluice publish demo-a BTC/USDT --bid 64000.1 --ask 64000.9'))
    .action(async (venue: string, symbol: string, options: Json & PublishOptions) => {
      const { publishQuote } = await import('./publish.ts')
      await publishQuote(venue, symbol, options, terminalOf(options))
    })
}

function addLooking(program: Command): void {
  program
    .command('streams')
    .description('Where every stream and every group stands.')
    .option(...JSON_OPTION)
    .addHelpText('after', examples('sluice streams', 'watch -n 1 sluice streams'))
    .action(async (options: Json) => {
      const { showStreams } = await import('./streams.ts')
      await showStreams(terminalOf(options))
    })
  addTickCommands(program, terminalOf, examples)
  addCandleCommands(program, terminalOf, examples)
  addFundingCommands(program, terminalOf, examples)
  addGroupCommands(program, terminalOf, examples)
  addDeadLetterCommands(program, terminalOf, examples)
  addCacheCommands(program, terminalOf, examples)
  addCutoverCommands(program, terminalOf, examples)
  addImportCommands(program, terminalOf, examples)
  program
    .command('doctor')
    .description('Check Node, Redis, the database, the port and the clocks, and say what to do.')
    .option(...JSON_OPTION)
    .addHelpText('after', examples('sluice doctor', 'sluice doctor --json'))
    .action(async (options: Json) => {
      const { doctor } = await import('./doctor.ts')
      process.exitCode = await doctor(terminalOf(options))
    })
  program
    .command('settings')
    .description('Every setting: what is in force, its default, what it is.')
    .option(...JSON_OPTION)
    .addHelpText('after', examples('sluice settings', 'sluice settings --json'))
    .action(async (options: Json) => {
      const { showSettings } = await import('./settings.ts')
      showSettings(terminalOf(options))
    })
}
