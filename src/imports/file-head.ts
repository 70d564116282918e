// What the beginning of a file says: the header of CSV, and whether it can be read at all. Where it cannot, one sentence
// says so, and not a row of quarantine for each of a million lines.
import { isMarker } from './conflicts.ts'
import { PIECE_BYTES_MAX, type RawPiece } from './cut.ts'
import { lineCutter } from './cut-lines.ts'
import type { ImportFile } from './list-files.ts'
import { readBytes } from './read-bytes.ts'
import { splitCsv } from './split-csv.ts'

export interface FileHead {
  /** The first line of CSV that is no marker of a merge; undefined in other files, and where there is none. */
  readonly header?: RawPiece
  /** Why nothing of the file can be used. */
  readonly problem?: string
}

/**
 * Throws FILE_NOT_FOUND or IMPORT_FAILED.
 * @param wrongWith what else is wrong with a header.
 */
export async function readHead(
  { path, format }: ImportFile,
  wrongWith: (header: string) => string | undefined = () => undefined,
): Promise<FileHead> {
  const cutter = lineCutter(0)
  const failed = (problem: string): FileHead => ({ problem: `${path}: ${problem}` })
  const headOf = (pieces: readonly RawPiece[]): FileHead | undefined => {
    const header = pieces.find(({ text }) => !isMarker(text))
    if (!header) return undefined
    const problem = header.problem ? NO_END : wrongIn(header.text, wrongWith)
    return problem === undefined ? { header } : failed(problem)
  }
  let bytes = 0
  for await (const chunk of readBytes(path, 0).chunks) {
    if (bytes === 0 && isUtf16(chunk)) return failed('it is text in UTF-16; save it as UTF-8')
    if (format !== 'csv') return {}
    const head = headOf(cutter.push(chunk))
    if (head) return head
    bytes += chunk.length
    if (bytes > PIECE_BYTES_MAX) return failed(NO_END)
  }
  return headOf(cutter.end()) ?? {}
}

const NO_END = `its first line has no end within ${PIECE_BYTES_MAX} bytes, so it has no header`

const isUtf16 = ([first, second]: Buffer) =>
  (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)

function wrongIn(header: string, wrongWith: (header: string) => string | undefined): string | undefined {
  if (/[\0\ufffd]/.test(header)) return 'its header is no text in UTF-8'
  if (header.includes('\r')) return 'its lines end with CR alone; allowed: LF and CRLF'
  const wrong = wrongWith(header)
  if (wrong !== undefined) return wrong
  const names = splitCsv(header).map((name) => name.trim().toLowerCase())
  const twice = names.find((name, at) => name !== '' && names.indexOf(name) !== at)
  return twice === undefined ? undefined : `its header names ${JSON.stringify(twice)} twice`
}
