// One file on its way: collects pieces into a batch, has it taken, and saves what became of it.
import { SluiceError } from '../kernel/index.ts'
import { openConflicts } from './conflicts.ts'
import type { RawPiece } from './cut.ts'
import type { ImportOptions, Quarantined, TakeContext, Taken } from './import.ts'
import { type FileProgress, importId, saveProgress } from './import-rows.ts'
import type { ImportFile } from './list-files.ts'
import { addCounts } from './meter.ts'
import { insertQuarantine } from './quarantine.ts'

export interface FileRun {
  add(piece: RawPiece): void
  /** The batch holds so many. */
  pieces(): number
  chars(): number
  /** Resolves when the batch is taken and that is saved; the last call of a file is also made without a piece. */
  flush(isLast: boolean): Promise<void>
  progress(): FileProgress
}

export interface FileRunOptions extends ImportOptions {
  readonly onQuarantined: (found: readonly Quarantined[], path: string) => void
}

export function openFileRun(
  file: ImportFile,
  begin: FileProgress,
  header: RawPiece | undefined,
  options: FileRunOptions,
): FileRun {
  const { take, subjectOf } = options
  const conflicts = openConflicts(begin.state?.conflictAt)
  let progress = begin
  let batch: RawPiece[] = []
  let chars = 0
  let isFirst = true

  const contextOf = (isLast: boolean): TakeContext => ({
    path: file.path,
    header: header?.text,
    ...{ isFirst, isLast, dryRun: options.dryRun ?? false },
    state: progress.state?.taken,
    async remember(taken) {
      const after = { ...progress, state: { ...progress.state, taken } }
      if (!options.dryRun) await save(file, progress, after, [], options)
      progress = after
    },
  })
  const quarantinedOf = (piece: RawPiece): Quarantined => ({
    piece,
    ...piece.problem!,
    ...subjectOf?.(piece, header?.text),
  })

  return {
    add(piece) {
      // The header is no piece, but in an import that goes on it is not seen at all.
      if (header !== undefined && piece.offset === header.offset) return
      batch.push(conflicts.mark(piece))
      chars += piece.text.length
    },
    pieces: () => batch.length,
    chars: () => chars,
    progress: () => progress,
    async flush(isLast) {
      const whole = batch.filter(({ problem }) => problem === undefined)
      const taken = await take(whole, contextOf(isLast))
      const broken = batch.filter(({ problem }) => problem !== undefined).map(quarantinedOf)
      const quarantined = [...broken, ...taken.quarantined]
      const after: FileProgress = {
        offset: batch.at(-1)?.end ?? progress.offset,
        ...addCounts(progress, countsOf(broken.length + (taken.read ?? whole.length), taken, quarantined)),
        state: { conflictAt: conflicts.openedAt(), taken: taken.state },
        done: isLast,
      }
      if (isLast) checkSum(after, file)
      if (!options.dryRun) await save(file, progress, after, quarantined, options)
      options.onQuarantined(quarantined, file.path)
      progress = after
      isFirst = false
      batch = []
      chars = 0
    },
  }
}

function countsOf(read: number, { stored, duplicate }: Taken, found: readonly Quarantined[]) {
  const quarantined: Record<string, number> = {}
  for (const { reason } of found) quarantined[reason] = (quarantined[reason] ?? 0) + 1
  return { read, stored, duplicate, quarantined }
}

async function save(
  file: ImportFile,
  before: FileProgress,
  after: FileProgress,
  quarantined: readonly Quarantined[],
  options: ImportOptions,
): Promise<void> {
  const { database, clock, kind } = options
  const at = clock.now()
  await database.write(async (tx) => {
    await insertQuarantine(tx, { kind, origin: file.path, at }, quarantined)
    await saveProgress(tx, importId(options, file), before, after, at)
  })
}

/** A piece that nobody accounts for would be lost without a trace. */
function checkSum({ read, stored, duplicate, quarantined }: FileProgress, { path }: ImportFile): void {
  const put = Object.values(quarantined).reduce((sum, count) => sum + count, 0)
  if (stored + duplicate + put === read) return
  throw new SluiceError(
    'INTERNAL',
    `${path}: of ${read} pieces ${stored} were stored, ${duplicate} duplicates and ${put} quarantined.`,
    { path, read, stored, duplicate, quarantined },
  )
}
