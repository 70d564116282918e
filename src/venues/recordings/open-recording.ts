// A recording by its content: what the first characters look like decides, not the file's name.
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, SluiceError } from '../../kernel/index.ts'
import { readBinance } from './binance.ts'
import { readBooks } from './books.ts'
import { readChunks } from './lines.ts'
import { mergeOrdered } from './merge.ts'
import { invalidRecording, type ReadOptions, type RecordingStep } from './recording.ts'
import { readTicks } from './ticks.ts'

export type RecordingFormat = 'books' | 'binance' | 'ticks'

export interface Recording {
  readonly format: RecordingFormat
  readonly paths: readonly string[]
  /** Reads from the beginning, in constant memory; may be called again. */
  steps(): AsyncGenerator<RecordingStep>
}

const READERS: Record<
  RecordingFormat,
  (paths: readonly string[], options: ReadOptions) => AsyncGenerator<RecordingStep>
> = {
  books: (paths, options) =>
    mergeOrdered(
      paths.map((path) => readBooks(path, options)),
      (a, b) => a.time < b.time,
    ),
  binance: readBinance,
  ticks: readTicks,
}

/**
 * A file, or a folder whose files (also in folders below it) are of one format and are read together in the order
 * of time. Throws FILE_NOT_FOUND, or RECORDING_INVALID naming file, line and reason.
 */
export async function openRecording(path: string, options: ReadOptions): Promise<Recording> {
  const paths = await filesOf(path)
  const formats = new Set<RecordingFormat>()
  for (const file of paths) formats.add(await formatOf(file))
  const [format, ...others] = formats
  if (format === undefined) throw invalidRecording(path, 'no recording in this folder')
  if (others.length > 0) throw invalidRecording(path, `holds several formats: ${[...formats].join(', ')}`)
  return { format, paths, steps: () => READERS[format](paths, options) }
}

async function filesOf(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path]
    const entries = await readdir(path, { recursive: true, withFileTypes: true })
    return entries
      .filter((entry) => entry.isFile() && /\.(jsonl?|gz|zst)$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
  } catch (error) {
    throw new SluiceError('FILE_NOT_FOUND', `${path} cannot be read: ${messageOf(error)}`, { path }, error)
  }
}

async function formatOf(path: string): Promise<RecordingFormat> {
  let head = ''
  for await (const chunk of readChunks(path)) {
    head = (head + chunk).trimStart()
    if (head.length >= 32) break
  }
  if (head.startsWith('[')) return 'ticks'
  if (head.startsWith('{')) return 'books'
  if (/^\d{19} /.test(head)) return 'binance'
  const seen = JSON.stringify(head.slice(0, 32))
  throw invalidRecording(`${path} line 1`, `begins with ${seen}: neither a book, a tick array nor a frame`)
}
