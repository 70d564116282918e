// `npm run race`: writers and readers of a few keys in several processes, while connections are cut and half open,
// messages vanish, Redis is flushed and killed, processes stand still and clocks are wrong. After each round a second of
// silence; then every process must give what is true.
import { Command, InvalidArgumentError, Option } from 'commander'
import { copyWithout, RULES, type RuleName } from '../cache/faults.ts'
import { installBentocache } from './bentocache.ts'
import { CACHES, HEARTBEAT_MS } from './caches.ts'
import { type RaceOptions, runRace, STRIKES } from './run.ts'

interface Options extends Omit<RaceOptions, 'index' | 'onRound'> {
  readonly fault?: RuleName
  readonly json?: boolean
}

const whole = (text: string) => {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('a whole number is needed')
  return Number(text)
}

const options = new Command('npm run race --')
  .description('Races writers, readers and faults against a cache, and counts the answers that stay wrong.')
  .addOption(new Option('--cache <name>', 'which one').choices(CACHES).default('sluice'))
  .option('--operations <n>', 'reads and writes of all processes together', whole, 1_000_000)
  .option('--rounds <n>', 'each ends with a second of silence', whole, 20)
  .option('--processes <n>', '', whole, 4)
  .option('--keys <n>', '', whole, 20)
  .option('--seed <n>', '', whole, 1)
  .addOption(new Option('--fault <rule>', 'takes a rule out, which must show').choices(Object.keys(RULES)))
  .option('--json', 'the result as one JSON value')
  .parse()
  .opts<Options>()

if (options.cache === 'bentocache') installBentocache()
const copy = options.fault && (await copyWithout(options.fault))
const result = await runRace({
  ...options,
  ...(copy && { index: copy.index }),
  onRound: ({ round, wrong, stale, loads }) =>
    process.stderr.write(
      `round ${round} of ${options.rounds}: ${wrong} wrong, oldest answer ${(stale?.ms ?? 0).toFixed(0)} ms, ${loads} loads\n`,
    ),
})
await copy?.remove()
const { wrong, checked, stale, strikes, tookMs, loads } = result
if (options.json) process.stdout.write(`${JSON.stringify(result)}\n`)
else {
  process.stdout.write(`${options.cache}: ${wrong} of ${checked} answers wrong after a second of silence\n`)
  process.stdout.write(
    `oldest answer: ${(stale?.ms ?? 0).toFixed(0)} ms after its change had been told; allowed: ${HEARTBEAT_MS + 100}\n`,
  )
  const told = STRIKES.map((name) => `${strikes[name] ?? 0} × ${name}`).join(', ')
  process.stdout.write(`strikes: ${told}\n${loads} loads, ${(tookMs / 1_000).toFixed(0)} s\n`)
}
if (wrong > 0 || (stale?.ms ?? 0) > HEARTBEAT_MS + 100) process.exitCode = 1
