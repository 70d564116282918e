// The commands of `sluice funding` and `sluice import funding`; what they do is loaded when one is called.
import type { Command } from 'commander'
import { type Examples, JSON_OPTION, type TerminalOf } from './command-parts.ts'
import type { FundingHistoryOptions, FundingLatestOptions } from './funding.ts'
import type { FundingImportArguments } from './import-funding.ts'
import { atLeast, wholeFrom } from './numbers.ts'

const work = () => import('./funding.ts')

export function addFundingCommands(program: Command, terminalOf: TerminalOf, examples: Examples): void {
  const funding = program
    .command('funding')
    .description('Funding rates of perpetual contracts that are kept.')
  funding
    .command('latest')
    .description('The newest rate of each instrument, of all venues or of one.')
    .argument('[venue]', 'as its quotes or its files name it')
    .option(...JSON_OPTION)
    .addHelpText('after', examples('sluice funding latest', 'sluice funding latest binance --json'))
    .action(async (venue: string | undefined, options: FundingLatestOptions) => {
      const { showLatestFunding } = await work()
      await showLatestFunding(venue, terminalOf(options))
    })
  funding
    .command('history')
    .description('Settlements of an instrument, newest first.')
    .argument('<venue>', 'as its quotes or its files name it')
    .argument('<symbol>', 'BASE/QUOTE')
    .option('--before <time>', 'ISO 8601 with its zone, or ms since 1970; exclusive')
    .option('--limit <n>', 'at most so many; up to 100,000', wholeFrom(1), 50)
    .option(...JSON_OPTION)
    .addHelpText('after', examples('sluice funding history binance BTC/USDT --limit 9'))
    .action(async (venue: string, symbol: string, options: FundingHistoryOptions) => {
      const { showFundingHistory } = await work()
      await showFundingHistory(venue, symbol, options, terminalOf(options))
    })
}

export function addFundingImport(imports: Command, terminalOf: TerminalOf, examples: Examples): void {
  imports
    .option('--venue <name>', 'whose rates they are (default: by the names of the files)')
    .option(
      '--utc-offset <offset>',
      'of times without a zone: +03:00 (default: as files of the venue are known)',
    )
    .option(
      '--interval-hours <hours>',
      'from one settlement to the next, where rows do not say it',
      atLeast(0.01),
    )
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      examples(
        'sluice import funding funding/BTC-USDT/',
        'sluice import funding rates.csv --venue okx --utc-offset 0 --interval-hours 8 --dry-run',
      ),
    )
    .action(async (path: string, options: FundingImportArguments) => {
      const { importFunding } = await import('./import-funding.ts')
      process.exitCode = await importFunding(path, options, terminalOf(options))
    })
}
