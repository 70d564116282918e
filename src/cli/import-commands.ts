// The commands of `sluice import` and `sluice quality`; what they do is loaded when one is called.

import type { Command } from 'commander'
import { type Examples, JSON_OPTION, type TerminalOf } from './command-parts.ts'
import { addFundingImport } from './funding-commands.ts'
import type { CandleImportArguments, ImportArguments, TickImportArguments } from './import.ts'
import { atLeast } from './numbers.ts'
import type { QualityArguments } from './quality.ts'

const PATH = 'a file, or a folder with all below it: .json, .jsonl, .ndjson, .csv, also packed as .gz or .zst'
const work = () => import('./import.ts')

export function addImportCommands(program: Command, terminalOf: TerminalOf, examples: Examples): void {
  const imports = program
    .command('import')
    .description('Files into the stores; goes on where it was ended (docs/IMPORT.md).')
  withCommonOptions(imports.command('ticks').description('Bid and ask ticks.'))
    .option(
      '--jump-pct <percent>',
      'hold back jumps of more than this within a minute; 0 never',
      atLeast(0),
      0,
    )
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      examples(
        'sluice import ticks ticks/',
        'sluice import ticks 2026-01-19.json.zst --dry-run',
        'sluice import ticks ticks/ --json | jq .quarantined',
      ),
    )
    .action(async (path: string, options: TickImportArguments) => {
      const { importTicks } = await work()
      process.exitCode = await importTicks(path, options, terminalOf(options))
    })
  addCandles(imports, terminalOf, examples)
  const funding = imports
    .command('funding')
    .description('Funding rates from CSV files with a header, one file a venue.')
  addFundingImport(withCommonOptions(funding), terminalOf, examples)
  addConversations(imports, terminalOf, examples)
  addQuality(program, terminalOf, examples)
}

const withCommonOptions = (command: Command) =>
  command
    .argument('<path>', PATH)
    .option('--dry-run', 'judge everything and write nothing')
    .option('--from-start', 'forget how far an import that was ended has come')

function addCandles(imports: Command, terminalOf: TerminalOf, examples: Examples): void {
  withCommonOptions(imports.command('candles').description('Candles from CSV files with a header.'))
    .requiredOption('--source <name>', 'what the candles are kept under')
    .option(
      '--interval <interval>',
      'of their bars (default: by the names of files and folders, or the distance of rows)',
    )
    .option('--scale <factor>', 'multiply prices by this power of ten', atLeast(0), 1)
    .option('--strict', 'put bars aside that contradict themselves, instead of keeping and counting them')
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      examples(
        'sluice import candles daily/ --source vn',
        'sluice import candles VIC-1D.csv.gz --source vn --interval 1D --dry-run --json',
      ),
    )
    .action(async (path: string, options: CandleImportArguments) => {
      const { importCandles } = await work()
      process.exitCode = await importCandles(path, options, terminalOf(options))
    })
}

function addConversations(imports: Command, terminalOf: TerminalOf, examples: Examples): void {
  withCommonOptions(
    imports
      .command('conversations')
      .description('What was said with models, as the contest answers it: JSON.'),
  )
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      examples(
        'sluice import conversations conversations.json',
        'sluice import conversations answers/ --dry-run',
      ),
    )
    .action(async (path: string, options: ImportArguments) => {
      const { importConversations } = await work()
      process.exitCode = await importConversations(path, options, terminalOf(options))
    })
}

function addQuality(program: Command, terminalOf: TerminalOf, examples: Examples): void {
  program
    .command('quality')
    .description('How good the stored ticks are.')
    .command('report')
    .description(
      'Each day, symbol and source: ticks, gaps, what was quarantined, spreads, a score of 0 to 100.',
    )
    .option('--day <day>', 'this UTC day only, YYYY-MM-DD')
    .option('--symbol <symbol>', 'this symbol only')
    .option(...JSON_OPTION)
    .addHelpText('after', examples('sluice quality report', 'sluice quality report --day 2026-01-19 --json'))
    .action(async (options: QualityArguments) => {
      const { showQuality } = await import('./quality.ts')
      await showQuality(options, terminalOf(options))
    })
}
