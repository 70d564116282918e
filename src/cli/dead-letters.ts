// `sluice dlq`: what no attempt could handle, to be looked at, mended and tried again, or dropped.
import { readFileSync } from 'node:fs'
import type { Bus, DeadLetter, Stream } from '../bus/index.ts'
import { STREAMS, streamNamed } from '../catalog/index.ts'
import {
  isoTime,
  isSluiceError,
  messageOf,
  processEnvironment,
  SluiceError,
  systemClock,
} from '../kernel/index.ts'
import { confirm, isConversation } from './confirm.ts'
import { withPlatform } from './connection.ts'
import { editText } from './edit-text.ts'
import { type Terminal, table } from './terminal.ts'

export interface DeadLetterOptions {
  readonly json?: boolean
  readonly limit?: number
  readonly before?: string
  readonly group?: string
  readonly data?: string
  readonly all?: boolean
  readonly yes?: boolean
}

type Verb = 'replay' | 'drop'

const PAGE = 500
const PROGRESS_MS = 1_000
// Enough to see what is wrong; the count at the end has them all.
const REFUSALS_SHOWN = 10

export async function listDeadLetters(
  name: string | undefined,
  { limit = 20, before, group }: DeadLetterOptions,
  terminal: Terminal,
): Promise<void> {
  if (before !== undefined && name === undefined) {
    throw new SluiceError('USAGE', '--before is an entry of one stream: name the stream.')
  }
  const streams = name === undefined ? STREAMS : [streamNamed(name)]
  const count = Math.floor(limit)
  const letters = await withPlatform(async ({ bus }) =>
    (await Promise.all(streams.map((stream) => bus.deadLetters(stream, count, { before, group })))).flat(),
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

export async function showDeadLetter(name: string, entry: string, terminal: Terminal): Promise<void> {
  const stream = streamNamed(name)
  const letter = await withPlatform(({ bus }) => bus.deadLetter(stream, entry))
  if (!letter) throw unknownLetter(name, entry)
  const { data, stack, ...facts } = letter
  terminal.result(letter, () =>
    [
      ...Object.entries({ ...facts, time: isoTime(facts.time) }).map(
        ([key, value]) => `${key.padEnd(12)} ${value}`,
      ),
      ...(stack === '' ? [] : ['', stack]),
      '',
      pretty(data),
    ].join('\n'),
  )
}

/** What cannot be parsed is shown as it came. */
function pretty(data: string): string {
  try {
    return JSON.stringify(JSON.parse(data), null, 2)
  } catch {
    return data
  }
}

/** Replays one with another payload: that of a file, or what a person makes of it in an editor. */
export async function editDeadLetter(
  name: string,
  entry: string,
  file: string | undefined,
  terminal: Terminal,
): Promise<void> {
  const stream = streamNamed(name)
  if (file === undefined && !isConversation()) {
    throw new SluiceError(
      'USAGE',
      'There is no terminal to edit on: give the payload with --data <file> or --data -',
    )
  }
  const given = file === undefined ? undefined : compact(readPayload(file), file)
  await withPlatform(async ({ bus }) => {
    if (given === undefined) return editByHand(bus, stream, entry, terminal)
    if (!(await bus.replayDeadLetter(stream, entry, given))) throw unknownLetter(name, entry)
    tellEdited(stream, entry, terminal)
  })
}

async function editByHand(
  bus: Bus,
  stream: Stream<unknown>,
  entry: string,
  terminal: Terminal,
): Promise<void> {
  const letter = await bus.deadLetter(stream, entry)
  if (!letter) throw unknownLetter(stream.name, entry)
  terminal.note(`given up by ${letter.group} after ${letter.attempts} attempts: ${letter.reason}`, 'reason')
  const { VISUAL, EDITOR } = processEnvironment()
  const before = `${pretty(letter.data)}\n`
  const edited = await editText(before, VISUAL || EDITOR || 'vi')
  if (edited.text.trim() === before.trim()) {
    edited.discard()
    return terminal.note(`unchanged: nothing was done. As it is: sluice dlq replay ${stream.name} ${entry}`)
  }
  try {
    const data = compact(edited.text, 'what was edited')
    if (!(await bus.replayDeadLetter(stream, entry, data))) throw unknownLetter(stream.name, entry)
  } catch (error) {
    terminal.note(
      `kept for another try: sluice dlq edit ${stream.name} ${entry} --data ${edited.path}`,
      'kept',
    )
    throw error
  }
  edited.discard()
  tellEdited(stream, entry, terminal)
}

const tellEdited = (stream: Stream<unknown>, entry: string, terminal: Terminal) =>
  terminal.result({ edit: entry, stream: stream.name }, `edited and replayed ${entry}`)

/** Answers how many could not be replayed; those are told on the way. */
export async function changeDeadLetters(
  verb: Verb,
  name: string,
  named: readonly string[],
  { all = false, group, yes = false }: DeadLetterOptions,
  terminal: Terminal,
): Promise<number> {
  const stream = streamNamed(name)
  if ((named.length === 0) !== all)
    throw new SluiceError('USAGE', `Name the entries to ${verb}, or give --all.`)
  if (group !== undefined && !all) throw new SluiceError('USAGE', '--group goes with --all.')
  return withPlatform(async ({ bus }) => {
    const one = (entry: string) =>
      verb === 'drop' ? bus.dropDeadLetter(stream, entry) : bus.replayDeadLetter(stream, entry)
    for (const entry of named) {
      if (!(await one(entry))) throw unknownLetter(name, entry)
      terminal.result({ [verb]: entry, stream: name }, `${verb} ${entry}`)
    }
    if (!all) return 0
    const entries = await allEntries(bus, stream, group, terminal)
    if (entries.length === 0) terminal.note('no dead letters')
    if (entries.length === 0) return 0
    const question = `Drop ${entries.length} dead letters of ${name} for good?`
    if (verb === 'drop' && !(await confirm(question, yes))) {
      terminal.note('nothing was changed')
      return 0
    }
    return changeAll(verb, stream, entries, one, terminal)
  })
}

/**
 * The names of all that are there now, oldest first: a replayed letter that fails again comes back newer and is left
 * alone.
 */
async function allEntries(
  bus: Bus,
  stream: Stream<unknown>,
  group: string | undefined,
  terminal: Terminal,
): Promise<string[]> {
  const tell = progress(terminal)
  const entries: string[] = []
  for (let before: string | undefined; ; before = entries.at(-1)) {
    const page = await bus.deadLetters(stream, PAGE, { group, before })
    entries.push(...page.map(({ entry }) => entry))
    if (page.length < PAGE) return entries.reverse()
    tell(() => `${entries.length} found so far`)
  }
}

/** Partitions side by side, each in order: entries of one key keep theirs. */
async function changeAll(
  verb: Verb,
  stream: Stream<unknown>,
  entries: readonly string[],
  one: (entry: string) => Promise<boolean>,
  terminal: Terminal,
): Promise<number> {
  const tell = progress(terminal)
  let [done, refused] = [0, 0]
  const byPartition = Map.groupBy(entries, (entry) => entry.slice(0, entry.indexOf('/')))
  const lists = [...byPartition.values()].map(async (list) => {
    for (const entry of list) {
      try {
        if (await one(entry)) {
          done++
          if (terminal.json) terminal.result({ [verb]: entry, stream: stream.name }, '')
        }
      } catch (error) {
        if (!isSluiceError(error) || !/^PAYLOAD_|^GROUP_/.test(error.code)) throw error
        if (++refused <= REFUSALS_SHOWN)
          terminal.note(`${entry} stays: ${error.message}`, 'refused', { entry })
      }
      tell(() => `${done + refused} of ${entries.length}`)
    }
  })
  await Promise.all(lists)
  const stay = refused === 0 ? '' : `; ${refused} stay because their payloads are refused: sluice dlq edit`
  if (!terminal.json) terminal.result(undefined, `${verb} ${done} of ${entries.length}${stay}`)
  return refused
}

/** A line now and then for whoever waits. */
function progress(terminal: Terminal): (text: () => string) => void {
  let last = systemClock.monotonic()
  return (text) => {
    if (systemClock.monotonic() - last < PROGRESS_MS) return
    last = systemClock.monotonic()
    terminal.note(text(), 'progress')
  }
}

const unknownLetter = (name: string, entry: string) =>
  new SluiceError(
    'DEAD_LETTER_UNKNOWN',
    `${name} has no dead letter ${entry}; see: sluice dlq list ${name}`,
    {
      name,
      entry,
    },
  )

function readPayload(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8')
  } catch (error) {
    throw new SluiceError('FILE_NOT_FOUND', `${file} cannot be read: ${messageOf(error)}`, { file }, error)
  }
}

function compact(text: string, from: string): string {
  try {
    return JSON.stringify(JSON.parse(text))
  } catch (error) {
    throw new SluiceError('PAYLOAD_INVALID', `${from} is no JSON: ${messageOf(error)}`, { from }, error)
  }
}
