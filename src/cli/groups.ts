// `sluice groups`: what a person does to a whole group of consumers.
import { readSeekTarget, type SeekPlace, seekTargetText } from '../bus/index.ts'
import { STREAMS, streamNamed } from '../catalog/index.ts'
import { confirm } from './confirm.ts'
import { withPlatform } from './connection.ts'
import { groupLines } from './streams.ts'
import { type Terminal, table } from './terminal.ts'

export interface GroupOptions {
  readonly json?: boolean
  readonly from?: string
  readonly yes?: boolean
}

export async function listGroups(name: string | undefined, terminal: Terminal): Promise<void> {
  const streams = name === undefined ? STREAMS : [streamNamed(name)]
  const statuses = await withPlatform(({ bus }) =>
    Promise.all(streams.map((stream) => bus.status(stream as never))),
  )
  const lines = statuses.flatMap(groupLines).filter(({ group }) => group !== '')
  if (terminal.json) {
    for (const { stream, group, paused, members, lag, pending, oldestMs } of lines) {
      terminal.result({ stream, group, paused, members, lag, pending, oldestMs }, '')
    }
    return
  }
  const headers = ['stream', 'group', 'state', 'members', 'lag', 'pending', 'oldest']
  const rows = lines.map((line) => [
    line.stream,
    line.group,
    line.paused ? 'paused' : 'running',
    line.members,
    line.lag,
    line.pending,
    `${(line.oldestMs / 1_000).toFixed(1)} s`,
  ])
  terminal.result(lines, () =>
    rows.length === 0 ? 'no groups: nobody has read anything yet' : table(headers, rows),
  )
}

export async function pauseOrResume(
  verb: 'pause' | 'resume',
  name: string,
  group: string,
  terminal: Terminal,
): Promise<void> {
  const stream = streamNamed(name)
  const paused = verb === 'pause'
  const changed = await withPlatform(({ bus }) =>
    paused ? bus.pauseGroup(stream, group) : bus.resumeGroup(stream, group),
  )
  const state = paused ? 'paused' : 'running'
  const next = paused ? `; go on with: sluice groups resume ${name} ${group}` : ''
  terminal.result({ stream: name, group, paused, changed }, () =>
    changed ? `${group} of ${name} is ${state}${next}` : `${group} of ${name} was ${state} already`,
  )
}

/** Throws USAGE when nobody says yes. */
export async function removeGroup(
  name: string,
  group: string,
  { yes = false }: GroupOptions,
  terminal: Terminal,
): Promise<void> {
  const stream = streamNamed(name)
  await withPlatform(async ({ bus }) => {
    const line = groupLines(await bus.status(stream)).find((one) => one.group === group)
    const left = line?.lag ?? 0
    const question = `Remove ${group} of ${name}? ${left} entries that it has not handled it never will.`
    if (!(await confirm(question, yes))) return terminal.note('nothing was changed')
    await bus.removeGroup(stream, group)
    const result = { stream: name, group, removed: true, unhandled: left }
    terminal.result(result, `${group} of ${name} is removed; ${left} entries were not handled by it`)
  })
}

/** Throws USAGE for a place that cannot be read, and when nobody says yes. */
export async function replayGroup(
  name: string,
  group: string,
  { from = '', yes = false }: GroupOptions,
  terminal: Terminal,
): Promise<void> {
  const stream = streamNamed(name)
  const to = readSeekTarget(from)
  const what = `${group} of ${name} from ${seekTargetText(to)} on`
  await withPlatform(async ({ bus }) => {
    if (!yes) {
      const preview = await bus.previewSeek(stream, group, to)
      terminal.note(planText(what, preview), 'preview', { places: preview })
      const question = `Let ${group} read ${count(preview)} entries again?`
      if (!(await confirm(question, yes))) return terminal.note('nothing was changed')
    }
    const places = await bus.seekGroup(stream, group, to)
    const { partitions } = await bus.status(stream)
    const isPaused = partitions.some(({ groups }) => groups.some((one) => one.group === group && one.paused))
    if (terminal.json) {
      for (const place of places) terminal.result({ stream: name, group, ...place }, '')
    } else {
      const shown = yes ? `${planText(what, places)}\n` : ''
      const when = isPaused ? ', once it is resumed: it is paused' : ''
      terminal.result(places, `${shown}${group} reads ${count(places)} entries again${when}`)
    }
  })
}

const count = (places: readonly SeekPlace[]) => places.reduce((sum, place) => sum + place.count, 0)

const planText = (what: string, places: readonly SeekPlace[]) =>
  [`${what}:`, placesTable(places), ...warnings(places)].join('\n')

function placesTable(places: readonly SeekPlace[]): string {
  return table(
    ['partition', 'from entry', 'again', 'skipped'],
    places.map(({ partition, entry, count, skipped }) => [partition, entry || '(next)', count, skipped]),
  )
}

function warnings(places: readonly SeekPlace[]): string[] {
  const skipped = places.reduce((sum, place) => sum + place.skipped, 0)
  const lost = `${skipped} entries that it has not handled are skipped: it is not given them any more.`
  const again = 'Effects in an inbox are recognised; others happen again.'
  return [...(skipped > 0 ? [lost] : []), ...(count(places) > 0 ? [again] : [])]
}
