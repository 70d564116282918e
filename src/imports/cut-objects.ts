// Cuts the objects of a JSON array, of lines, or simply one behind another. Behind garbage it goes on with the next
// object: from the place where an object breaks it looks back for another one that begins inside of what was read, so
// half an object swallows nothing of the whole one behind it.
import { type Cutter, PIECE_BYTES_MAX, type Problem, type RawPiece, tooLarge } from './cut.ts'
import { openJunk } from './junk.ts'
import { beginObject, type ObjectScan, scanObject } from './scan-object.ts'

const OPEN = 0x7b
const BOM = Buffer.from('\ufeff')
/** What may stand between objects: spaces, commas and the brackets of the array. */
const SEPARATORS = new Set([0x20, 0x0a, 0x0d, 0x09, 0x2c, 0x5b, 0x5d])

/** `offset` is where the first byte of the first chunk stands in the file: at the beginning, or behind a piece. */
export function objectCutter(offset: number, bytesMax = PIECE_BYTES_MAX): Cutter {
  const junk = openJunk()
  let bytes: Buffer = Buffer.alloc(0)
  /** Where `bytes` begins. */
  let base = offset
  let start = -1
  let scan: ObjectScan = beginObject()
  const place = { at: 0 }

  const addJunk = (from: number, to: number, problem: Problem) => {
    if (to > from) junk.add(bytes.subarray(from, to), base + from, problem)
  }
  /** To the next bracket that may begin an object. */
  const seek = () => {
    if (base + place.at === 0 && bytes.subarray(0, BOM.length).equals(BOM)) place.at = BOM.length
    while (!junk.isOpen() && SEPARATORS.has(bytes[place.at]!)) place.at++
    const found = bytes.indexOf(OPEN, place.at)
    addJunk(place.at, found < 0 ? bytes.length : found, OUTSIDE)
    place.at = found < 0 ? bytes.length : found + 1
    start = found
    scan = beginObject()
    return found >= 0
  }
  const giveUp = (problem: Problem, pieces: RawPiece[]) => {
    // What had a key was meant to be an object and is counted as one; other brackets are part of the garbage.
    if (scan.hasKey) push(pieces, junk.take(base + start))
    place.at = start + 1
    addJunk(start, place.at, problem)
    start = -1
  }
  const cut = (isOver: boolean) => {
    const pieces: RawPiece[] = []
    while (start >= 0 || (place.at < bytes.length && seek())) {
      const outcome = scanObject(bytes, place, scan)
      const length = place.at - start
      if (length > bytesMax) giveUp(tooLarge(length, bytesMax), pieces)
      else if (outcome === 'broken') giveUp(broken(bytes, place.at, length), pieces)
      else if (outcome === 'closed') {
        push(pieces, junk.take(base + start))
        const text = bytes.toString('utf8', start, place.at)
        pieces.push({ offset: base + start, end: base + place.at, text })
        start = -1
      } else if (isOver) giveUp(CUT_OFF, pieces)
      else break
    }
    if (isOver) push(pieces, junk.take(base + bytes.length))
    return pieces
  }

  return {
    push(chunk) {
      const kept = start >= 0 ? start : place.at
      bytes = kept === bytes.length ? chunk : Buffer.concat([bytes.subarray(kept), chunk])
      base += kept
      place.at -= kept
      if (start >= 0) start = 0
      return cut(false)
    },
    end: () => cut(true),
  }
}

const push = (pieces: RawPiece[], piece: RawPiece | undefined) => {
  if (piece) pieces.push(piece)
}

const OUTSIDE: Problem = { reason: 'not_json', detail: 'text outside of an object' }
const CUT_OFF: Problem = { reason: 'not_json', detail: 'cut off by the end of the file' }

function broken(bytes: Buffer, at: number, length: number): Problem {
  const found = JSON.stringify(String.fromCharCode(bytes[at]!))
  return { reason: 'not_json', detail: `${found} after ${length} bytes, where JSON has none` }
}
