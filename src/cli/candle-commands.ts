// The commands of `sluice candles`; what they do is loaded when one is called.

import type { Command } from 'commander'
import type { CandleGetOptions, CandlePurgeOptions, CandleRebuildOptions } from './candles.ts'
import { type Examples, JSON_OPTION, type TerminalOf } from './command-parts.ts'
import { wholeFrom } from './numbers.ts'

const TICKER = 'as its source writes it: BTC/USDT, VIC'
const SOURCE = '--source <name>'
const work = () => import('./candles.ts')

export function addCandleCommands(program: Command, terminalOf: TerminalOf, examples: Examples): void {
  const candles = program
    .command('candles')
    .description('Candles that are kept: look, build again from ticks.')
  candles
    .command('get')
    .description('The newest of a ticker between two times, oldest first, with their 13 computed columns.')
    .argument('<ticker>', TICKER)
    .option(SOURCE, 'of this venue or feed; needed where several have the ticker')
    .option('--interval <interval>', '1m 5m 15m 30m 1h 4h 1D 1W 2W 1M: a minute is 1m, a month is 1M', '1D')
    .option('--from <time>', 'ISO 8601 with its zone, or ms since 1970')
    .option('--to <time>', 'exclusive; default: no end')
    .option('--limit <n>', 'at most so many, the newest; up to 100,000', wholeFrom(1), 252)
    .option('--format <name>', 'table, csv (20 columns) or jsonl', 'table')
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      examples(
        'sluice candles get VIC --limit 20',
        'sluice candles get BTC/USDT --source sim-alpha~simulated --interval 1m --format csv',
      ),
    )
    .action(async (ticker: string, options: CandleGetOptions) => {
      const { getCandles } = await work()
      await getCandles(ticker, options, terminalOf(options))
    })
  candles
    .command('rebuild')
    .description('Build the bars of a range again from the stored ticks; whoever follows them is told.')
    .argument('<ticker>', TICKER)
    .requiredOption(SOURCE, 'the venue; of a simulated one <venue>~simulated')
    .requiredOption('--from <time>', 'ISO 8601 with its zone, or ms since 1970')
    .option('--to <time>', 'exclusive; default: now')
    .option('--interval <list>', 'separated by commas (default: all from 1m to 1D)')
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      examples(
        'sluice candles rebuild BTC/USDT --source binance --from 2026-01-19T09:00:00Z',
        'sluice candles rebuild EURUSD --source YOFX --from 2026-01-19T00:00:00Z --interval 1m,1h --json',
      ),
    )
    .action(async (ticker: string, options: CandleRebuildOptions) => {
      const { rebuild } = await work()
      await rebuild(ticker, options, terminalOf(options))
    })
  candles
    .command('purge')
    .description(
      'Delete whole intervals of a ticker, and those that are made of them, as prices of before a dividend.',
    )
    .argument('<ticker>', TICKER)
    .requiredOption(SOURCE, 'of this venue or feed')
    .requiredOption('--interval <list>', 'separated by commas')
    .option('--yes', 'do not ask')
    .option(...JSON_OPTION)
    .addHelpText('after', examples('sluice candles purge VIC --source vn --interval 1m,1h --yes'))
    .action(async (ticker: string, options: CandlePurgeOptions) => {
      const { purge } = await work()
      await purge(ticker, options, terminalOf(options))
    })
}
