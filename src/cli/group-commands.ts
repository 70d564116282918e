// The commands of `sluice groups`; what they do is loaded when one is called.

import type { Command } from 'commander'
import { type Examples, JSON_OPTION, type TerminalOf } from './command-parts.ts'
import type { GroupOptions } from './groups.ts'

const STREAM = 'its name, as list shows it'
const GROUP = 'the name of the group'
const work = () => import('./groups.ts')

export function addGroupCommands(program: Command, terminalOf: TerminalOf, examples: Examples): void {
  const groups = program
    .command('groups')
    .description('Groups of consumers: let one stand still, go on, or read again.')
  groups
    .command('list')
    .description('Every group of every stream, or of one.')
    .argument('[stream]', STREAM)
    .option(...JSON_OPTION)
    .addHelpText('after', examples('sluice groups list', 'sluice groups list market.quotes --json'))
    .action(async (stream: string | undefined, options: GroupOptions) => {
      const { listGroups } = await work()
      await listGroups(stream, terminalOf(options))
    })
  for (const [verb, about] of [
    ['pause', 'It takes nothing more, in every process and across restarts; what it holds it finishes.'],
    ['resume', 'It goes on where it stood.'],
  ] as const) {
    groups
      .command(verb)
      .description(about)
      .argument('<stream>', STREAM)
      .argument('<group>', GROUP)
      .option(...JSON_OPTION)
      .addHelpText('after', examples(`sluice groups ${verb} arbitrage.opportunities executor`))
      .action(async (stream: string, group: string, options: GroupOptions) => {
        const { pauseOrResume } = await work()
        await pauseOrResume(verb, stream, group, terminalOf(options))
      })
  }
  groups
    .command('replay')
    .description('It reads again from a place on, also while its consumers run.')
    .argument('<stream>', STREAM)
    .argument('<group>', GROUP)
    .requiredOption(
      '--from <place>',
      'an entry id, a time (ISO 8601 with its zone, or ms since 1970), start, or end',
    )
    .option('--yes', 'do not ask')
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      `${examples(
        'sluice groups replay arbitrage.executions ledger --from 2026-01-31T09:30:00Z',
        'sluice groups replay market.quotes detector --from 1700000000000-0 --yes',
        'sluice groups replay signals screen --from end',
      )}
Effects that are in an inbox (the ledger's) are recognised and not repeated; others happen again. A fold begins with
its start state, and what it says again is recognised as long as its stream remembers ids (dedupeMs). What was trimmed
cannot come again. See docs/BUS.md, Controls.`,
    )
    .action(async (stream: string, group: string, options: GroupOptions) => {
      const { replayGroup } = await work()
      await replayGroup(stream, group, options, terminalOf(options))
    })
  groups
    .command('remove')
    .description('Nobody reads for it any more, and trimming waits for it no longer.')
    .argument('<stream>', STREAM)
    .argument('<group>', GROUP)
    .option('--yes', 'do not ask')
    .option(...JSON_OPTION)
    .addHelpText('after', examples('sluice groups remove market.quotes ticks-json'))
    .action(async (stream: string, group: string, options: GroupOptions) => {
      const { removeGroup } = await work()
      await removeGroup(stream, group, options, terminalOf(options))
    })
}
