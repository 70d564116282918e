// What cutters of files have in common: bytes in, pieces out. Pieces carry their place because an import goes on
// behind the last one that is stored, and because a person must find in the file what was refused.
import type { Piece } from './import.ts'

export interface Problem {
  readonly reason: string
  readonly detail: string
}

export interface RawPiece extends Piece {
  /** Where an import goes on behind it: byte offset, decompressed. */
  readonly end: number
  /** It is no whole object or line; `text` is its beginning. */
  readonly problem?: Problem
}

export interface Cutter {
  /** The bytes behind those before, and the pieces that end in them. The chunk may be kept. */
  push(chunk: Buffer): RawPiece[]
  /** What the end of the file leaves. */
  end(): RawPiece[]
}

// Ticks and candles have 200 bytes; what is above this is no piece but one that was never closed.
export const PIECE_BYTES_MAX = 1024 * 1024
// Of a broken piece: 2,000 characters of any language.
export const HEAD_BYTES = 8_000
export const TEXT_CHARS = 2_000

export const headText = (bytes: Buffer): string => bytes.toString('utf8', 0, HEAD_BYTES).slice(0, TEXT_CHARS)

export const tooLarge = (bytes: number, bytesMax = PIECE_BYTES_MAX): Problem => ({
  reason: 'too_large',
  detail: `${bytes} bytes without an end; at most ${bytesMax} are a piece`,
})
