// Files that were committed in the middle of a merge hold two versions of the same lines between markers. Which one is
// true cannot be known, so all of them are put aside.
import type { Problem, RawPiece } from './cut.ts'

export interface Conflicts {
  /** What the piece is in the light of those before it. */
  mark(piece: RawPiece): RawPiece
  /** Offset of the marker of a conflict that is still open. */
  openedAt(): number | undefined
}

const MARKER = /^(<<<<<<<|=======|>>>>>>>|\|\|\|\|\|\|\|)( |$)/gm
// A marker whose end never comes must not put the rest of the file aside.
const CONFLICT_BYTES_MAX = 1024 * 1024

export function openConflicts(openedAt?: number): Conflicts {
  let opened = openedAt
  return {
    openedAt: () => opened,
    mark(piece) {
      if (opened !== undefined && piece.offset - opened > CONFLICT_BYTES_MAX) opened = undefined
      const wasOpen = opened !== undefined
      const last = lastMarker(piece)
      if (last === '>>>>>>>') opened = undefined
      else if (last === '<<<<<<<') opened = piece.offset
      if (last === undefined && !wasOpen) return piece
      return { ...piece, problem: last === undefined ? BETWEEN : IS_MARKER }
    },
  }
}

const BETWEEN: Problem = {
  reason: 'conflict_marker',
  detail: 'between the markers of a merge that was not resolved',
}
const IS_MARKER: Problem = { reason: 'conflict_marker', detail: 'a marker of a merge that was not resolved' }

export const isMarker = (line: string): boolean => /^(<{7}|={7}|>{7}|\|{7})( |$)/.test(line)

/** Only what is broken, or is a line of its own, can hold one: whole objects may have anything in their texts. */
function lastMarker({ text, problem }: RawPiece): string | undefined {
  if (problem === undefined && !isMarker(text)) return undefined
  return [...text.matchAll(MARKER)].at(-1)?.[1]
}
