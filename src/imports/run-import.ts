// Runs an import: cuts each file, gives the pieces to `take` in batches, and saves after each batch how far it is. A
// batch is first durable in its store and then counted; a kill between the two repeats it, and the store recognises it.
import { stat } from 'node:fs/promises'
import { isSluiceError } from '../kernel/index.ts'
import type { Problem, RawPiece } from './cut.ts'
import { lineCutter } from './cut-lines.ts'
import { objectCutter } from './cut-objects.ts'
import { type FileHead, readHead } from './file-head.ts'
import { type FileRun, type FileRunOptions, openFileRun } from './file-run.ts'
import type { ImportExample, ImportOptions, ImportResult, Quarantined } from './import.ts'
import { beginImports, type FileProgress, NOTHING_YET } from './import-rows.ts'
import type { ImportFile } from './list-files.ts'
import { addCounts, type Meter, NO_COUNTS, openMeter } from './meter.ts'
import { type ByteReader, readBytes } from './read-bytes.ts'

const BATCH_PIECES = 4_000
const BATCH_CHARS = 4 * 1024 * 1024

/**
 * Rejects with IMPORT_RUNNING, or with what the database or `take` threw; calling it again then goes on. A file that
 * cannot be read to its end ends up in `failed`, and the others are imported.
 */
export async function runImport(options: ImportOptions): Promise<ImportResult> {
  const { clock, files, signal, dryRun = false, fromStart = false } = options
  const { progress: begun, otherwise } = dryRun
    ? { progress: new Map<string, FileProgress>(), otherwise: 0 }
    : await beginImports(options.database, options, files, { now: clock.now(), fromStart })
  if (otherwise > 0) options.onOtherwise?.(otherwise)
  const meter = openMeter(options)
  const examples = new Map<string, ImportExample>()
  const onQuarantined = (found: readonly Quarantined[], path: string) => {
    for (const { reason, detail, piece } of found) {
      const { offset, text } = piece
      if (!examples.has(reason)) examples.set(reason, { path, offset, reason, detail, text })
    }
  }
  const failed: { path: string; problem: string }[] = []
  let counts = NO_COUNTS
  let resumed = 0
  let stopped = false
  for (const file of files) {
    stopped = signal?.aborted ?? false
    if (stopped) break
    const before = begun.get(file.path) ?? NOTHING_YET
    if (before.offset > 0 || before.done) resumed++
    meter.begin(file, counts, before)
    const { after, problem } = before.done
      ? { after: before }
      : await importFile(file, before, { ...options, onQuarantined }, meter)
    if (problem !== undefined) failed.push({ path: file.path, problem })
    counts = addCounts(counts, after)
    options.onFileEnd?.(after.state?.taken)
    stopped = !after.done
  }
  return { ...counts, ...meter.end(), resumed, failed, examples: [...examples.values()], stopped }
}

const CUT_OFF: Problem = { reason: 'cut_off', detail: 'the file cannot be read behind it' }

interface FileEnd {
  readonly after: FileProgress
  /** Why it could not be read to its end. */
  readonly problem?: string | undefined
}

async function importFile(
  file: ImportFile,
  before: FileProgress,
  options: FileRunOptions,
  meter: Meter,
): Promise<FileEnd> {
  const head = await readHead(file, options.wrongWith).catch((error: unknown): FileHead => {
    // Reading comes to it again, and to what is in front of it.
    problemOf(error)
    return {}
  })
  const run = openFileRun(file, before, head.header, options)
  if (head.problem !== undefined) {
    await run.flush(true)
    return { after: run.progress(), problem: head.problem }
  }
  const bytes = readBytes(file.path, before.offset)
  const { problem, stopped } = await runPieces(file, before.offset, bytes, run, options, meter)
  if (stopped) return { after: run.progress() }
  await run.flush(true)
  meter.tell(file.bytes, run.progress())
  return { after: run.progress(), problem: problem ?? (await changeOf(file)) }
}

async function runPieces(
  { format }: ImportFile,
  offset: number,
  bytes: ByteReader,
  run: FileRun,
  { signal, batchPieces = BATCH_PIECES, objectBytesMax }: ImportOptions,
  meter: Meter,
): Promise<{ problem?: string; stopped: boolean }> {
  const cutter = format === 'json' ? objectCutter(offset, objectBytesMax) : lineCutter(offset)
  /** False when told to stop. */
  const add = async (pieces: readonly RawPiece[]) => {
    for (const piece of pieces) {
      run.add(piece)
      if (run.pieces() < batchPieces && run.chars() < BATCH_CHARS) continue
      await run.flush(false)
      meter.tell(bytes.done(), run.progress())
      if (signal?.aborted) return false
    }
    return true
  }
  let problem: string | undefined
  try {
    for (;;) {
      const chunk = await bytes.chunks.next().catch((error: unknown) => {
        problem = problemOf(error)
      })
      if (!chunk || chunk.done) break
      if (!(await add(cutter.push(chunk.value)))) return { stopped: true }
    }
  } finally {
    await bytes.chunks.return(undefined)
  }
  const rest = cutter.end()
  // Half a line can look like a whole one with another last number.
  const isHalf = problem !== undefined
  const stopped = !(await add(isHalf ? rest.map((piece) => ({ problem: CUT_OFF, ...piece })) : rest))
  return problem === undefined ? { stopped } : { problem, stopped }
}

/** Of a file; anything else goes on. */
function problemOf(error: unknown): string {
  if (isSluiceError(error, 'IMPORT_FAILED') || isSluiceError(error, 'FILE_NOT_FOUND')) return error.message
  throw error
}

/** What was read of a file that somebody was writing is no version of it. */
async function changeOf({ path, bytes, changedAt }: ImportFile): Promise<string | undefined> {
  const now = await stat(path).catch(() => undefined)
  if (now && now.size === bytes && now.mtimeMs === changedAt) return undefined
  return `${path} changed while it was read; import it again`
}
