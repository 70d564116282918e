// The commands of `sluice cutover` and `sluice parity`; what they do is loaded when one is called.

import type { Command } from 'commander'
import { FEATURE_NAMES } from '../catalog/index.ts'
import { type Examples, JSON_OPTION, type TerminalOf } from './command-parts.ts'
import type { CutoverOptions } from './cutover.ts'
import { wholeFrom } from './numbers.ts'
import type { ParityOptions } from './parity.ts'

const FEATURE = `one of: ${FEATURE_NAMES.join(', ')}`
const work = () => import('./cutover.ts')
const parityWork = () => import('./parity.ts')

export function addCutoverCommands(program: Command, terminalOf: TerminalOf, examples: Examples): void {
  const cutover = program
    .command('cutover')
    .description('Features on their way from a store to another: docs/CUTOVER.md.')
  cutover
    .command('status')
    .description('Where each feature is, and what its next step lacks; with a feature also its history.')
    .argument('[feature]', FEATURE)
    .option(...JSON_OPTION)
    .addHelpText('after', examples('sluice cutover status', 'sluice cutover status ticks --json'))
    .action(async (feature: string | undefined, options: CutoverOptions) => {
      const { showCutovers } = await work()
      await showCutovers(feature, terminalOf(options))
    })
  for (const [verb, about] of [
    ['advance', 'One phase forward, when there is proof that both stores hold the same.'],
    ['rollback', 'One phase back, without loss; from done it brings back what the former store missed.'],
  ] as const) {
    cutover
      .command(verb)
      .description(about)
      .argument('<feature>', FEATURE)
      .requiredOption('--reason <text>', 'why; it is kept with the change')
      .option('--revision <number>', 'only if it is as status showed it', wholeFrom(0))
      .option(...JSON_OPTION)
      .addHelpText(
        'after',
        examples(
          `sluice cutover ${verb} ticks --reason 'parity 100 %'`,
          `sluice cutover ${verb} ticks --reason 'as agreed' --revision 4`,
        ),
      )
      .action(async (feature: string, options: CutoverOptions) => {
        const { changePhase } = await work()
        await changePhase(verb, feature, options, terminalOf(options))
      })
  }
  cutover
    .command('copy')
    .description('Bring the store that does not answer up to date; goes on where it was ended.')
    .argument('<feature>', FEATURE)
    .option(...JSON_OPTION)
    .addHelpText('after', examples('sluice cutover copy ticks'))
    .action(async (feature: string, options: CutoverOptions) => {
      const { copyHistory } = await work()
      await copyHistory(feature, terminalOf(options))
    })
  addParity(program, terminalOf, examples)
}

function addParity(program: Command, terminalOf: TerminalOf, examples: Examples): void {
  const parity = program
    .command('parity')
    .description('Whether both stores of a feature hold the same, record by record.')
  parity
    .command('run')
    .description('Compare everything and print each difference; exit code 1 when there is one.')
    .argument('<feature>', FEATURE)
    .option(...JSON_OPTION)
    .addHelpText('after', examples('sluice parity run ticks', 'sluice parity run candles --json'))
    .action(async (feature: string, options: ParityOptions) => {
      const { runParity } = await parityWork()
      process.exitCode = await runParity(feature, terminalOf(options))
    })
  parity
    .command('report')
    .description('What the last comparison found, or another run; exit code 1 unless it found nothing.')
    .argument('<feature>', FEATURE)
    .option('--run <id>', 'its id, as run and status show it')
    .option('--limit <count>', 'differences at most', wholeFrom(1), 100)
    .option(...JSON_OPTION)
    .addHelpText('after', examples('sluice parity report ticks', 'sluice parity report ticks --limit 1000'))
    .action(async (feature: string, options: ParityOptions) => {
      const { reportParity } = await parityWork()
      process.exitCode = await reportParity(feature, options, terminalOf(options))
    })
}
