// The commands of `sluice dlq`; what they do is loaded when one is called.

import type { Command } from 'commander'
import { type Examples, JSON_OPTION, type TerminalOf } from './command-parts.ts'
import type { DeadLetterOptions } from './dead-letters.ts'
import { atLeast } from './numbers.ts'

const GROUP_OPTION = ['--group <group>', 'only those that this group gave up'] as const
const STREAM = 'its name, as sluice streams shows it'
const ENTRY = 'its id, as list shows it'
const work = () => import('./dead-letters.ts')

export function addDeadLetterCommands(program: Command, terminalOf: TerminalOf, examples: Examples): void {
  const dlq = program.command('dlq').description('Dead letters: entries that no attempt could handle.')
  addLooking(dlq, terminalOf, examples)
  addEdit(dlq, terminalOf, examples)
  for (const [verb, about] of [
    ['replay', 'Give it to its group again and remove it here.'],
    ['drop', 'Remove it for good.'],
  ] as const) {
    const command = dlq
      .command(verb)
      .description(about)
      .argument('<stream>', STREAM)
      .argument('[entry...]', 'ids, as list shows them')
      .option('--all', 'every one of the stream, oldest first')
      .option(...GROUP_OPTION)
    if (verb === 'drop') command.option('--yes', 'with --all: do not ask')
    command
      .option(...JSON_OPTION)
      .addHelpText(
        'after',
        examples(
          `sluice dlq ${verb} market.quotes 3/1700000000000-0`,
          `sluice dlq ${verb} market.quotes --all --group detector${verb === 'drop' ? ' --yes' : ''}`,
        ),
      )
      .action(async (stream: string, entries: string[], options: DeadLetterOptions) => {
        const { changeDeadLetters } = await work()
        const refused = await changeDeadLetters(verb, stream, entries, options, terminalOf(options))
        if (refused > 0) process.exitCode = 1
      })
  }
}

function addLooking(dlq: Command, terminalOf: TerminalOf, examples: Examples): void {
  dlq
    .command('list')
    .description('Newest first, of one stream or of all.')
    .argument('[stream]', STREAM)
    .option('--limit <count>', 'at most this many of each stream', atLeast(1), 20)
    .option('--before <entry>', 'older than this one: the last of a page asks for the next')
    .option(...GROUP_OPTION)
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      examples(
        'sluice dlq list',
        'sluice dlq list market.quotes --group detector --limit 100 --json',
        'sluice dlq list market.quotes --before 3/1700000000000-0',
      ),
    )
    .action(async (stream: string | undefined, options: DeadLetterOptions) => {
      const { listDeadLetters } = await work()
      await listDeadLetters(stream, options, terminalOf(options))
    })
  dlq
    .command('show')
    .description('One dead letter with its payload, reason and stack.')
    .argument('<stream>', STREAM)
    .argument('<entry>', ENTRY)
    .option(...JSON_OPTION)
    .addHelpText('after', examples('sluice dlq show market.quotes 3/1700000000000-0'))
    .action(async (stream: string, entry: string, options: DeadLetterOptions) => {
      const { showDeadLetter } = await work()
      await showDeadLetter(stream, entry, terminalOf(options))
    })
}

function addEdit(dlq: Command, terminalOf: TerminalOf, examples: Examples): void {
  dlq
    .command('edit')
    .description('Mend its payload and give it to its group again; without --data in $EDITOR.')
    .argument('<stream>', STREAM)
    .argument('<entry>', ENTRY)
    .option('--data <file>', 'the mended payload as a JSON file; - for stdin')
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      examples(
        'sluice dlq edit market.quotes 3/1700000000000-0',
        'sluice dlq edit market.quotes 3/1700000000000-0 --data mended.json',
        "sluice dlq show market.quotes 3/1700000000000-0 --json | jq '.data | fromjson | .time = 1' | sluice dlq edit market.quotes 3/1700000000000-0 --data -",
      ),
    )
    .action(async (stream: string, entry: string, options: DeadLetterOptions) => {
      const { editDeadLetter } = await work()
      await editDeadLetter(stream, entry, options.data, terminalOf(options))
    })
}
