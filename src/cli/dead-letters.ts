// `sluice dlq`: what no attempt could handle, to be looked at, mended and tried again, or dropped.
import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import type { DeadLetter, Stream } from '../bus/index.ts'
import { STREAMS } from '../catalog/index.ts'
import { isoTime, messageOf, SluiceError } from '../kernel/index.ts'
import { withPlatform } from './connection.ts'
import { atLeast } from './numbers.ts'
import { type Terminal, table } from './terminal.ts'

interface Options {
  readonly json?: boolean
  readonly limit?: number
  readonly data?: string
  readonly all?: boolean
}

/** Enough to hold what a person would look at; --all works through more in turns. */
const LOOK_MAX = 1_000
const ALL = 1_000_000

type TerminalOf = (options: Options) => Terminal
type Examples = (...lines: string[]) => string

export function addDeadLetterCommands(program: Command, terminalOf: TerminalOf, examples: Examples): void {
  const dlq = program.command('dlq').description('Dead letters: entries that no attempt could handle.')
  const json = ['--json', 'one JSON value a line, for programs'] as const
  dlq
    .command('list')
    .description('Newest first, of one stream or of all.')
    .argument('[stream]', STREAMS.map(({ name }) => name).join(', '))
    .option('--limit <count>', 'at most this many of each stream', atLeast(1), 20)
    .option(...json)
    .addHelpText('after', examples('sluice dlq list', 'sluice dlq list market.quotes --limit 100 --json'))
    .action((name: string | undefined, options: Options) =>
      list(name, Math.floor(options.limit ?? 20), terminalOf(options)),
    )
  dlq
    .command('show')
    .description('One dead letter with its payload, reason and stack.')
    .argument('<stream>')
    .argument('<entry>', 'its id, as list shows it')
    .option(...json)
    .addHelpText('after', examples('sluice dlq show market.quotes 3/1700000000000-0'))
    .action((name: string, entry: string, options: Options) => show(name, entry, terminalOf(options)))
  for (const [verb, about] of [
    ['replay', 'Publish it again to its stream and remove it here.'],
    ['drop', 'Remove it for good.'],
  ] as const) {
    const command = dlq
      .command(verb)
      .description(about)
      .argument('<stream>')
      .argument('[entry...]', 'ids, as list shows them')
      .option('--all', 'every one of the stream')
      .option(...json)
    if (verb === 'replay')
      command.option('--data <file>', 'an edited payload (JSON file, - for stdin) for one entry')
    command
      .addHelpText(
        'after',
        examples(
          `sluice dlq ${verb} market.quotes 3/1700000000000-0`,
          `sluice dlq ${verb} market.quotes --all`,
        ),
      )
      .action((name: string, entries: string[], options: Options) =>
        change(verb, name, entries, options, terminalOf(options)),
      )
  }
}

function streamNamed(name: string): Stream<unknown> {
  const stream = STREAMS.find((one) => one.name === name)
  if (stream) return stream as Stream<unknown>
  const allowed = STREAMS.map((one) => one.name).join(', ')
  throw new SluiceError('USAGE', `There is no stream ${name}; allowed: ${allowed}`, { name })
}

async function list(name: string | undefined, limit: number, terminal: Terminal): Promise<void> {
  const streams =
    name === undefined ? (STREAMS as readonly unknown[] as Stream<unknown>[]) : [streamNamed(name)]
  const letters = await withPlatform(async ({ bus }) =>
    (await Promise.all(streams.map((stream) => bus.deadLetters(stream, limit)))).flat(),
  )
  if (terminal.json) for (const letter of letters) terminal.result(letter, '')
  else if (letters.length === 0) terminal.result([], 'no dead letters')
  else
    terminal.result(letters, () =>
      table(['stream', 'entry', 'group', 'when', 'attempts', 'reason'], letters.map(row)),
    )
}

const row = (letter: DeadLetter) => [
  letter.stream,
  letter.entry,
  letter.group,
  isoTime(letter.time).slice(0, 19),
  letter.attempts,
  letter.reason.split('\n')[0]!.slice(0, 80),
]

async function show(name: string, entry: string, terminal: Terminal): Promise<void> {
  const stream = streamNamed(name)
  const letter = await withPlatform(async ({ bus }) =>
    (await bus.deadLetters(stream, LOOK_MAX)).find((one) => one.entry === entry),
  )
  if (!letter) throw unknownLetter(name, entry)
  const { data, stack, ...facts } = letter
  terminal.result(letter, () =>
    [
      ...Object.entries({ ...facts, time: isoTime(facts.time) }).map(
        ([key, value]) => `${key.padEnd(12)} ${value}`,
      ),
      ...(stack === '' ? [] : ['', stack]),
      '',
      data,
    ].join('\n'),
  )
}

async function change(
  verb: 'replay' | 'drop',
  name: string,
  named: readonly string[],
  options: Options,
  terminal: Terminal,
): Promise<void> {
  const stream = streamNamed(name)
  if ((named.length === 0) === (options.all !== true)) {
    throw new SluiceError('USAGE', `Name the entries to ${verb}, or give --all.`)
  }
  if (options.data !== undefined && named.length !== 1) {
    throw new SluiceError('USAGE', '--data edits one entry: name exactly one.')
  }
  const data = options.data === undefined ? undefined : readPayload(options.data)
  await withPlatform(async ({ bus }) => {
    const one = (entry: string) =>
      verb === 'drop' ? bus.dropDeadLetter(stream, entry) : bus.replayDeadLetter(stream, entry, data)
    for (const entry of named) {
      if (!(await one(entry))) throw unknownLetter(name, entry)
      terminal.result({ [verb]: entry, stream: name }, `${verb} ${entry}`)
    }
    if (options.all !== true) return
    // A replayed letter that fails again comes back newer: only those of now are touched.
    const letters = (await bus.deadLetters(stream, ALL)).reverse()
    for (const { entry } of letters) {
      if (await one(entry)) terminal.result({ [verb]: entry, stream: name }, `${verb} ${entry}`)
    }
  })
}

const unknownLetter = (name: string, entry: string) =>
  new SluiceError('USAGE', `${name} has no dead letter ${entry}; see: sluice dlq list ${name}`, {
    name,
    entry,
  })

function readPayload(file: string): string {
  try {
    const text = readFileSync(file === '-' ? 0 : file, 'utf8')
    JSON.parse(text)
    return text
  } catch (error) {
    throw new SluiceError('USAGE', `${file} is no readable JSON: ${messageOf(error)}`, { file }, error)
  }
}
