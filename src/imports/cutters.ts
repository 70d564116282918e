// Which cutter a file needs, and the header of a CSV file.
import { isMarker } from './conflicts.ts'
import type { Cutter, RawPiece } from './cut.ts'
import { lineCutter } from './cut-lines.ts'
import { objectCutter } from './cut-objects.ts'
import type { FileFormat } from './list-files.ts'
import { readBytes } from './read-bytes.ts'

export const cutterOf = (format: FileFormat, offset: number): Cutter =>
  format === 'json' ? objectCutter(offset) : lineCutter(offset)

/** The first line that is no marker of a merge; undefined when there is none or it has no end. */
export async function readHeader(path: string): Promise<RawPiece | undefined> {
  const cutter = lineCutter(0)
  const first = (pieces: readonly RawPiece[]) => pieces.find((piece) => !isMarker(piece.text))
  for await (const chunk of readBytes(path, 0).chunks) {
    const found = first(cutter.push(chunk))
    if (found) return found.problem ? undefined : found
  }
  const found = first(cutter.end())
  return found?.problem ? undefined : found
}
