// `sluice cache rebuild`; what it does is loaded when it is called.
import type { Command } from 'commander'
import { type Examples, JSON_OPTION, type TerminalOf } from './command-parts.ts'

export function addRebuildCommand(cache: Command, terminalOf: TerminalOf, examples: Examples): void {
  cache
    .command('rebuild')
    .description('Writes the keys that readers of the replaced systems know, from the stores (PROJECTIONS).')
    .argument(
      '[family...]',
      'nof0, market, ticks, candles, insights; those of PROJECTIONS where none is named',
    )
    .option(...JSON_OPTION)
    .addHelpText('after', examples('sluice cache rebuild', 'sluice cache rebuild nof0 --json'))
    .action(async (families: string[], options: { readonly json?: boolean }) => {
      const { rebuild } = await import('./projections.ts')
      process.exitCode = await rebuild(families, terminalOf(options))
    })
}
