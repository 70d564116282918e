// The commands of `sluice cache`; what they do is loaded when one is called.

import type { Command } from 'commander'
import type { CacheOptions } from './cache.ts'
import { type Examples, JSON_OPTION, type TerminalOf } from './command-parts.ts'
import { wholeFrom } from './numbers.ts'
import { addRebuildCommand } from './projection-commands.ts'

const VIEW = 'its name, for example trades'
const KEY = 'the parts of its key'
const work = () => import('./cache.ts')

export function addCacheCommands(program: Command, terminalOf: TerminalOf, examples: Examples): void {
  const cache = program.command('cache').description('Cached answers: look at them, drop them.')
  cache
    .command('stats')
    .description('What Redis holds, by view. What each process does with it stands in its metrics.')
    .option(...JSON_OPTION)
    .addHelpText('after', examples('sluice cache stats', 'sluice cache stats --json'))
    .action(async (options: CacheOptions) => {
      const { showCache } = await work()
      await showCache(terminalOf(options))
    })
  cache
    .command('get')
    .description('One answer as Redis holds it.')
    .argument('<view>', VIEW)
    .argument('[key...]', KEY)
    .option(...JSON_OPTION)
    .addHelpText('after', examples('sluice cache get totals', 'sluice cache get trades 20 --json'))
    .action(async (view: string, key: string[], options: CacheOptions) => {
      const { showEntry } = await work()
      await showEntry(view, key, terminalOf(options))
    })
  cache
    .command('invalidate')
    .description('Drops answers in Redis and in the memory of every process; who asks next loads anew.')
    .argument('[view]', VIEW)
    .argument('[key...]', KEY)
    .option('--tag <tag>', 'everything under a tag')
    .option('--all', 'everything')
    .option('--yes', 'do not ask')
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      examples(
        'sluice cache invalidate totals',
        'sluice cache invalidate --tag trades',
        'sluice cache invalidate --all',
      ),
    )
    .action(async (view: string | undefined, key: string[], options: CacheOptions) => {
      const { invalidate } = await work()
      await invalidate(view, key, options, terminalOf(options))
    })
  addUpkeepCommands(cache, terminalOf, examples)
  addRebuildCommand(cache, terminalOf, examples)
}

function addUpkeepCommands(cache: Command, terminalOf: TerminalOf, examples: Examples): void {
  cache
    .command('warm')
    .description(
      'Puts answers into Redis before anybody asks, as the scheduler does after a start or a flush.',
    )
    .argument('[view...]', 'names of views; all that are warmed when none is given')
    .option('--rate <n>', 'answers a second at most; default CACHE_WARM_RATE', wholeFrom(1))
    .option(...JSON_OPTION)
    .addHelpText('after', examples('sluice cache warm', 'sluice cache warm positions totals --json'))
    .action(async (views: string[], options: CacheOptions & { rate?: number }) => {
      const { warmCache } = await import('./cache-upkeep.ts')
      process.exitCode = await warmCache(views, options, terminalOf(options))
    })
  cache
    .command('verify')
    .description(
      'Compares each answer in Redis with the database, twice where they differ; ends with 1 when one is wrong.',
    )
    .option(...JSON_OPTION)
    .addHelpText('after', examples('sluice cache verify', 'sluice cache verify --json'))
    .action(async (options: CacheOptions) => {
      const { verifyAnswers } = await import('./cache-upkeep.ts')
      process.exitCode = await verifyAnswers(terminalOf(options))
    })
}
