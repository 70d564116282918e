// Bytes between objects that belong to none: however many they are, their beginning and their number are kept.
import { HEAD_BYTES, headText, PIECE_BYTES_MAX, type Problem, type RawPiece, tooLarge } from './cut.ts'

export interface Junk {
  isOpen(): boolean
  /** `offset` is where they stand in the file; `problem` counts for the first ones. */
  add(bytes: Buffer, offset: number, problem: Problem): void
  /** All of them as one piece that ends at `end`; undefined when there are none. */
  take(end: number): RawPiece | undefined
}

const AROUND = /^[\s,[\]]+|[\s,[\]]+$/g

export function openJunk(): Junk {
  let found: { offset: number; problem: Problem; head: Buffer; bytes: number } | undefined
  return {
    isOpen: () => found !== undefined,
    add(bytes, offset, problem) {
      found ??= { offset, problem, head: Buffer.alloc(0), bytes: 0 }
      const room = HEAD_BYTES - found.head.length
      if (room > 0) found.head = Buffer.concat([found.head, bytes.subarray(0, room)])
      found.bytes += bytes.length
    },
    take(end) {
      if (!found) return undefined
      const { offset, problem, head, bytes } = found
      found = undefined
      const text = headText(head).replace(AROUND, '')
      return { offset, end, text, problem: bytes > PIECE_BYTES_MAX ? tooLarge(bytes) : problem }
    },
  }
}
