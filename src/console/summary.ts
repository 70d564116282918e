// From what the bus says of each partition to what a person reads of each stream.
import type { StreamStatus } from '../bus/index.ts'
import type { GroupSummary, StreamSummary } from './answers.ts'
import { publishedOf } from './meter.ts'

export function summaryOf(stream: StreamStatus, perSecond: number): StreamSummary {
  return {
    stream: stream.stream,
    perSecond: tenths(perSecond),
    length: stream.partitions.reduce((sum, partition) => sum + partition.length, 0),
    published: publishedOf(stream),
    deadLetters: stream.deadLetters,
    groups: groupsOf(stream),
  }
}

export function groupsOf(stream: StreamStatus): GroupSummary[] {
  const groups = new Map<string, GroupSummary>()
  for (const partition of stream.partitions) {
    for (const { group, lag, pending, oldestMs, paused } of partition.groups) {
      const sum = groups.get(group)
      groups.set(group, {
        group,
        lag: (sum?.lag ?? 0) + lag,
        pending: (sum?.pending ?? 0) + pending,
        oldestMs: Math.max(sum?.oldestMs ?? 0, Math.round(oldestMs)),
        members: stream.members[group]?.length ?? 0,
        paused,
      })
    }
  }
  return [...groups.values()].sort((a, b) => (a.group < b.group ? -1 : 1))
}

/** The worst lag of any group, the oldest entry, and the dead letters of all streams. */
export function worstOf(streams: readonly StreamStatus[]): {
  lag: number
  oldestMs: number
  deadLetters: number
} {
  const groups = streams.flatMap(groupsOf)
  return {
    lag: Math.max(0, ...groups.map((group) => group.lag)),
    oldestMs: Math.max(0, ...groups.map((group) => group.oldestMs)),
    deadLetters: streams.reduce((sum, stream) => sum + stream.deadLetters, 0),
  }
}

export const tenths = (value: number): number => Math.round(value * 10) / 10
