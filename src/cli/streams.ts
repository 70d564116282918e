// `sluice streams`: where every stream and every group stands.
import type { PartitionStatus, StreamStatus } from '../bus/index.ts'
import { STREAMS } from '../catalog/index.ts'
import { withPlatform } from './connection.ts'
import { type Terminal, table } from './terminal.ts'

export interface GroupLine {
  readonly stream: string
  readonly group: string
  /** Entries kept in all partitions; `published` counts all that ever were. */
  readonly entries: number
  readonly published: number
  readonly lag: number
  readonly pending: number
  readonly oldestMs: number
  readonly members: number
  /** It takes nothing until it is resumed: `sluice groups`. */
  readonly paused: boolean
  /** Owner of each partition, by number. */
  readonly owners: Readonly<Record<string, string>>
  readonly deadLetters: number
}

/** One line for each group of a stream; one with an empty group for a stream that nobody reads. */
export function groupLines(status: StreamStatus): GroupLine[] {
  const names = new Set(status.partitions.flatMap(({ groups }) => groups.map(({ group }) => group)))
  const whole = {
    stream: status.stream,
    entries: total(status.partitions.map(({ length }) => length)),
    published: total(status.partitions.map(({ lastSequence }) => lastSequence)),
    deadLetters: status.deadLetters,
  }
  return [...(names.size === 0 ? [''] : names)].map((group) => ({
    ...whole,
    ...groupTotals(status.partitions, group),
    group,
    members: status.members[group]?.length ?? 0,
  }))
}

function groupTotals(partitions: readonly PartitionStatus[], group: string) {
  const mine = partitions.flatMap(({ partition, groups }) =>
    groups.filter((one) => one.group === group).map((one) => ({ ...one, partition })),
  )
  return {
    lag: total(mine.map(({ lag }) => lag)),
    pending: total(mine.map(({ pending }) => pending)),
    oldestMs: Math.max(0, ...mine.map(({ oldestMs }) => oldestMs)),
    paused: mine.some(({ paused }) => paused),
    owners: Object.fromEntries(
      mine.flatMap(({ partition, owner }) => (owner === undefined ? [] : [[String(partition), owner]])),
    ),
  }
}

const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0)

export async function showStreams(terminal: Terminal): Promise<void> {
  const lines = await withPlatform(async ({ bus }) => {
    const statuses = await Promise.all(STREAMS.map((stream) => bus.status(stream as never)))
    return statuses.flatMap(groupLines)
  })
  if (terminal.json) for (const line of lines) terminal.result(line, '')
  else terminal.result(lines, () => streamTable(lines))
}

function streamTable(lines: readonly GroupLine[]): string {
  const headers = ['stream', 'group', 'entries', 'published', 'lag', 'pending', 'oldest', 'owners', 'dead']
  return table(
    headers,
    lines.map((line) => [
      line.stream,
      line.group === '' ? '(nobody reads)' : line.paused ? `${line.group} (paused)` : line.group,
      line.entries,
      line.published,
      line.lag,
      line.pending,
      `${(line.oldestMs / 1_000).toFixed(1)} s`,
      ownersText(line),
      line.deadLetters,
    ]),
  )
}

// host:pid:boot is long; the pid is what one looks for.
function ownersText({ owners, members }: GroupLine): string {
  const counts = new Map<string, number>()
  for (const owner of Object.values(owners)) counts.set(owner, (counts.get(owner) ?? 0) + 1)
  if (counts.size === 0) return members === 0 ? 'none' : `${members} shared`
  return [...counts].map(([owner, count]) => `${owner.split(':')[1] ?? owner}×${count}`).join(' ')
}
