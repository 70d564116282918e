// Cuts lines. What follows a broken line is the next line, so there is little to recover; only a line without an end
// must not fill the memory.
import { type Cutter, HEAD_BYTES, headText, PIECE_BYTES_MAX, type RawPiece, tooLarge } from './cut.ts'

const LF = 0x0a

/** `offset` is where the first byte of the first chunk stands in the file: at the beginning of a line. */
export function lineCutter(offset: number): Cutter {
  let rest: Buffer = Buffer.alloc(0)
  /** Where `rest` begins. */
  let base = offset
  /** Bytes of the line that were let go because it is too long; its beginning is kept. */
  let gone = 0
  let head: Buffer = rest

  const pieceOf = (line: Buffer, end: number): RawPiece | undefined => {
    if (gone > 0) {
      const piece = { offset: base - gone, end, text: headText(head), problem: tooLarge(gone + line.length) }
      gone = 0
      return piece
    }
    if (line.length > PIECE_BYTES_MAX) {
      return { offset: base, end, text: headText(line), problem: tooLarge(line.length) }
    }
    const text = line.toString('utf8').replace(/\r$/, '')
    if (text.trim() === '' || text === '\ufeff') return undefined
    return { offset: base, end, text: base === 0 ? text.replace(/^\ufeff/, '') : text }
  }

  return {
    push(chunk) {
      const pieces: RawPiece[] = []
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      let [at, from] = [0, rest.length]
      for (let end = bytes.indexOf(LF, from); end >= 0; end = bytes.indexOf(LF, at)) {
        const piece = pieceOf(bytes.subarray(at, end), base + end + 1 - at)
        if (piece) pieces.push(piece)
        base += end + 1 - at
        at = end + 1
        from = at
      }
      rest = bytes.subarray(at)
      if (rest.length > PIECE_BYTES_MAX) {
        if (gone === 0) head = Buffer.from(rest.subarray(0, HEAD_BYTES))
        gone += rest.length
        base += rest.length
        rest = Buffer.alloc(0)
      }
      return pieces
    },
    end() {
      const piece = gone + rest.length > 0 ? pieceOf(rest, base + rest.length) : undefined
      return piece ? [piece] : []
    },
  }
}
