// What an import is: files are cut into pieces, a context takes them batch by batch, and how far each file is stands
// in the database. Everything here is the same for all kinds.
import type { Database } from '../db/index.ts'
import type { Clock } from '../kernel/index.ts'
import type { ImportFile } from './list-files.ts'

export type ImportKind = 'ticks' | 'candles' | 'funding' | 'conversations'

/** An object of JSON (of an array, or on a line of its own) or a line of CSV without its line break. */
export interface Piece {
  /** Byte offset of its beginning in the file, decompressed. */
  readonly offset: number
  readonly text: string
}

/** What a piece is about, as far as it can be read. */
export interface Subject {
  readonly symbol?: string | undefined
  readonly source?: string | undefined
  /** ms UTC. */
  readonly time?: number | undefined
}

export interface Quarantined extends Subject {
  readonly piece: Piece
  /** One word, stable: docs/IMPORT.md lists them. */
  readonly reason: string
  /** What was found, for a person. */
  readonly detail: string
}

export interface TakeContext {
  /** Absolute. */
  readonly path: string
  /** The first line of a CSV file, also when the import goes on in its middle; it is no piece. */
  readonly header: string | undefined
  /** The first call for this file in this run. */
  readonly isFirst: boolean
  /** No piece comes behind these; there may be none in this call. */
  readonly isLast: boolean
  /** What the call before returned, also when that was in a process that was killed; undefined at the beginning. */
  readonly state: unknown
  /**
   * Saves another state for this batch, in case that it comes again after a kill: for what `take` could not find out
   * once it has stored. Rejects with IMPORT_RUNNING.
   */
  readonly remember: (state: unknown) => Promise<void>
  /** Nothing may be written; what would be is counted as stored. */
  readonly dryRun: boolean
}

export interface Taken {
  /** Where a piece holds several entries: how many the pieces held, those with a fault included. Default: the pieces. */
  readonly read?: number
  readonly stored: number
  /** Were there already with the same content. */
  readonly duplicate: number
  readonly quarantined: readonly Quarantined[]
  /** JSON that the next call gets: pieces that wait for a judgement, and what it needs. It is saved with the offset. */
  readonly state?: unknown
}

/**
 * Stores a batch; resolves when it is durable. Calls follow the order of the file and never overlap. Each piece is
 * stored, a duplicate or quarantined, at once or (kept in `state`) by a later call; after the last none is left. A
 * batch may come again after a kill, so storing it twice must be the same as storing it once.
 */
export type Take = (pieces: readonly Piece[], context: TakeContext) => Promise<Taken>

export interface ImportOptions {
  /** Not touched in a dry run. */
  readonly database: Database
  readonly clock: Clock
  readonly kind: ImportKind
  readonly files: readonly ImportFile[]
  /** What `take` does with them: with other settings it is another import, which does not go on where this one was. */
  readonly settings?: Readonly<Record<string, string | number | boolean | undefined>>
  readonly take: Take
  /** What is wrong with a header of CSV, for a person: nothing of that file is read. Undefined when nothing is. */
  readonly wrongWith?: (header: string) => string | undefined
  /** What a broken piece is about, for its row in quarantine. */
  readonly subjectOf?: (piece: Piece, header: string | undefined) => Subject
  /** Judges all and writes nothing, neither rows nor files. */
  readonly dryRun?: boolean
  /** Forgets how far an interrupted import has come. */
  readonly fromStart?: boolean
  /** Stops after the batch at hand; the next import goes on behind it. */
  readonly signal?: AbortSignal
  /** Files begin at their start although an import with other settings, or of another version, was interrupted. */
  readonly onOtherwise?: (files: number) => void
  /** Called with what `take` has returned last of a file that has ended, was stopped, or was done by an import before. */
  readonly onFileEnd?: (state: unknown) => void
  /** Called after each batch and each file. */
  readonly onProgress?: (progress: ImportProgress) => void
  /** Pieces in one call of `take`. Default 4,000. */
  readonly batchPieces?: number
  /** A larger object of JSON is none. Default 1 MiB. */
  readonly objectBytesMax?: number
}

export interface ImportCounts {
  /** Pieces, or what they hold, those without a good end included; stored + duplicate + quarantined. */
  readonly read: number
  readonly stored: number
  readonly duplicate: number
  /** Count by reason. */
  readonly quarantined: Readonly<Record<string, number>>
}

export interface ImportProgress extends ImportCounts {
  readonly path: string
  /** From 1, and of how many. */
  readonly file: number
  readonly files: number
  /** On the disk, so compressed where files are; those in front of where this run began are done. */
  readonly bytesDone: number
  readonly bytesTotal: number
  /** Pieces a second of this run. */
  readonly piecesPerSecond: number
  /** Undefined until there is a rate. */
  readonly remainingMs: number | undefined
}

export interface ImportExample {
  readonly path: string
  /** Byte offset, decompressed. */
  readonly offset: number
  readonly reason: string
  readonly detail: string
  readonly text: string
}

/** Of files that an interrupted import had begun, what it counted is included. */
export interface ImportResult extends ImportCounts {
  readonly files: number
  /** On the disk. */
  readonly bytes: number
  /** Files that went on in their middle or were done by the interrupted import. */
  readonly resumed: number
  /** Files that could not be read to their end. What was in front of the damage is counted. */
  readonly failed: readonly { readonly path: string; readonly problem: string }[]
  /** The first of each reason in this run. */
  readonly examples: readonly ImportExample[]
  /** By the signal, before the end. */
  readonly stopped: boolean
  readonly tookMs: number
}
