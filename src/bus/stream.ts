// A stream is declared once, in the catalog. It is a fixed number of partitions, each one Redis stream with its
// bookkeeping under one hash tag, so that a script can touch them together (also in Redis Cluster).
import { hash } from 'node:crypto'
import type { z } from 'zod'

export interface Stream<T> {
  readonly name: string
  readonly about: string
  readonly shape: z.ZodType<T>
  /** Entries of one key are handled in order, by one owner at a time. */
  key(data: T): string
  /** Fixed for the stream's life: a power of two, at least 4 × the consumers expected in a group. */
  readonly partitions: number
  /** How long acknowledged entries stay for reading back, ms. What is not acknowledged always stays. */
  readonly retentionMs: number
  /** Hard limit of entries in one partition: the publisher is refused (OVERLOADED) beyond it. */
  readonly maxEntries: number
  /** How long an event id is remembered at least, ms. Longer than any retry of a publisher. */
  readonly dedupeMs: number
  /** Largest encoded payload, bytes. */
  readonly maxPayloadBytes: number
  /** Confirmed by as many replicas as are configured (WAIT). */
  readonly durable: boolean
}

type Required = 'name' | 'about' | 'shape' | 'key'
export type StreamDeclaration<T> = Pick<Stream<T>, Required> & Partial<Omit<Stream<T>, Required>>

export function defineStream<T>(declaration: StreamDeclaration<T>): Stream<T> {
  return {
    partitions: 8,
    retentionMs: 60_000,
    maxEntries: 200_000,
    dedupeMs: 300_000,
    maxPayloadBytes: 1_000_000,
    durable: false,
    ...declaration,
  }
}

/** The numbers of its partitions. */
export const partitionsOf = (stream: Pick<Stream<unknown>, 'partitions'>): number[] =>
  Array.from({ length: stream.partitions }, (_, partition) => partition)

/** The first 32 bits of SHA-1 of the key, modulo the partitions: even for keys that differ in one letter. */
export function partitionOf(stream: Pick<Stream<unknown>, 'partitions'>, key: string): number {
  return Number.parseInt(hash('sha1', key).slice(0, 8), 16) % stream.partitions
}

/** Every Redis key of one partition. */
export function partitionKeys(stream: string, partition: number) {
  const tag = `{${stream}:${partition}}`
  return {
    entries: tag,
    /** Hash: last sequence, time of the last turn of the remembered ids, totals. */
    meta: `${tag}:meta`,
    idsNew: `${tag}:ids:new`,
    idsOld: `${tag}:ids:old`,
    /** Hash {owner, epoch, until}: who may acknowledge for a group. */
    lease: (group: string) => `${tag}:lease:${group}`,
    /**
     * Stream without entries, there for as long as an epoch is the newest. Redis looks at every stream that a read
     * names before it gives anything, so a read that names the gate as well is refused to a former owner.
     */
    gate: (group: string, epoch: number | '') => `${tag}:gate:${group}:${epoch}`,
    /** Hash: a fold's state and the entry it stands at. */
    checkpoint: (group: string) => `${tag}:checkpoint:${group}`,
    /** Holds nothing: a write to it is what WAIT waits for. */
    barrier: `${tag}:barrier`,
    /** Stream of the entries that no attempt could handle; beside its origin so that one script moves them. */
    dead: `${tag}:dead`,
  }
}

/** Redis keys of a stream as a whole. */
export function streamKeys(stream: string) {
  return {
    /** Set of the groups that trimming must wait for. */
    groups: `groups:${stream}`,
    /** Hash of the groups that are paused, and since when (ms UTC). */
    paused: `groups:paused:${stream}`,
    /** Sorted set of a group's living members by the server time of their last heartbeat. */
    members: (group: string) => `members:${stream}:${group}`,
    /** Channel: a member came or went, or a partition was given away. */
    moved: (group: string) => `moved:${stream}:${group}`,
  }
}
