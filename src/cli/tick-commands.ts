// The commands of `sluice ticks` and `sluice partitions`; what they do is loaded when one is called.

import type { Command } from 'commander'
import { type Examples, JSON_OPTION, type TerminalOf } from './command-parts.ts'
import { wholeFrom } from './numbers.ts'
import type { TickOptions } from './ticks.ts'

const SYMBOL = 'as its source writes it: BTC/USDT, EURUSD'
const SOURCE = ['--source <name>', 'of this venue or provider only'] as const
const FROM = ['--from <time>', 'ISO 8601 with its zone, or ms since 1970'] as const
const TO = ['--to <time>', 'exclusive; default: now'] as const

export function addTickCommands(program: Command, terminalOf: TerminalOf, examples: Examples): void {
  const ticks = program.command('ticks').description('Ticks that are kept: look, export, count.')
  ticks
    .command('recent')
    .description('The newest of a symbol, oldest first.')
    .argument('<symbol>', SYMBOL)
    .option('--count <n>', 'how many', wholeFrom(1), 20)
    .option(...SOURCE)
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      examples('sluice ticks recent BTC/USDT', 'sluice ticks recent EURUSD --count 5 --json'),
    )
    .action(async (symbol: string, options: TickOptions) => {
      const { showRecent } = await import('./ticks.ts')
      await showRecent(symbol, options, terminalOf(options))
    })
  ticks
    .command('range')
    .description('All of a symbol between two times, over as many days as it takes.')
    .argument('<symbol>', SYMBOL)
    .requiredOption(...FROM)
    .option(...TO)
    .option(...SOURCE)
    .option('--limit <n>', 'at most so many', wholeFrom(1), 1_000)
    .option(...JSON_OPTION)
    .addHelpText('after', examples('sluice ticks range BTC/USDT --from 2026-01-19T09:00:00Z --limit 50'))
    .action(async (symbol: string, options: TickOptions) => {
      const { showRange } = await import('./ticks.ts')
      await showRange(symbol, options, terminalOf(options))
    })
  ticks
    .command('export')
    .description('All of a symbol between two times as CSV or JSON lines, to a file or to stdout.')
    .argument('<symbol>', SYMBOL)
    .requiredOption(...FROM)
    .option(...TO)
    .option(...SOURCE)
    .option('--format <name>', 'csv or jsonl', 'csv')
    .option('--out <file>', 'where to; it appears there when it is whole. Default: stdout')
    .addHelpText('after', examples('sluice ticks export EURUSD --from 2026-01-19T00:00:00Z --out eurusd.csv'))
    .action(async (symbol: string, options: TickOptions) => {
      const { exportTicks } = await import('./ticks.ts')
      await exportTicks(symbol, options, terminalOf(options))
    })
  ticks
    .command('stats')
    .description('How much there is of each day, symbol and source.')
    .option('--day <day>', 'YYYY-MM-DD, UTC')
    .option(...JSON_OPTION)
    .addHelpText('after', examples('sluice ticks stats', 'sluice ticks stats --day 2026-01-19 --json'))
    .action(async (options: TickOptions) => {
      const { showStats } = await import('./ticks.ts')
      await showStats(options, terminalOf(options))
    })
  addPartitionCommands(program, terminalOf, examples)
}

const ABOUT = {
  compress: 'Rewrite days into archives; the source goes only after every tick of it was found there.',
  verify: 'Read everything of a day, or of all, and name what is damaged.',
  restore: 'The way back: an archive becomes an open day again.',
} as const

function addPartitionCommands(program: Command, terminalOf: TerminalOf, examples: Examples): void {
  const partitions = program
    .command('partitions')
    .description('The files of ticks, one a UTC day: list, compress, verify, restore.')
  partitions
    .command('list')
    .description('Every day that is there, its state and its size.')
    .option(...JSON_OPTION)
    .addHelpText('after', examples('sluice partitions list'))
    .action(async (options: TickOptions) => {
      const { listPartitions } = await import('./partitions.ts')
      await listPartitions(terminalOf(options))
    })
  partitions
    .command('rotate')
    .description('Compress every day that ended TICKS_ARCHIVE_AFTER_DAYS ago; a job does the same each hour.')
    .option(...JSON_OPTION)
    .addHelpText('after', examples('sluice partitions rotate'))
    .action(async (options: TickOptions) => {
      const { rotatePartitions } = await import('./partitions.ts')
      process.exitCode = await rotatePartitions(terminalOf(options))
    })
  for (const verb of ['compress', 'verify', 'restore'] as const) {
    partitions
      .command(verb)
      .description(ABOUT[verb])
      .argument(verb === 'verify' ? '[day...]' : '<day...>', 'YYYY-MM-DD, UTC')
      .option(...JSON_OPTION)
      .addHelpText('after', examples(`sluice partitions ${verb} 2026-01-19`))
      .action(async (days: string[], options: TickOptions) => {
        const { changePartitions } = await import('./partitions.ts')
        process.exitCode = await changePartitions(verb, days, terminalOf(options))
      })
  }
}
