// Finds the objects of a JSON array in a file of any size without holding more than a part of it, and where the last
// whole one ends: behind it lies what a writer that was killed left, or the closing bracket.
import type { FileHandle } from 'node:fs/promises'
import { damaged } from './block-damage.ts'

/** Objects side by side, as bytes of the file from `offset` on. */
export interface Run {
  readonly text: string
  readonly offset: number
  readonly length: number
}

export interface Scanned {
  /** Behind the last whole object, or behind the opening bracket where there is none; 0 without a bracket. */
  readonly end: number
  /** The array is closed and nothing stands behind it. */
  readonly isWhole: boolean
}

/** A run is handed out when it is so long: what is read and parsed at once to find a late tick. */
export const RUN_BYTES = 64 * 1024
// A quote that is missing in the middle of a file makes all behind it one object; that is damage and no torn end.
const OBJECT_BYTES_MAX = 64 * 1024
const CHUNK_BYTES = 256 * 1024

// Nor does a tick that was cut off hold the end of one and the beginning of the next.
const SEVERAL = /\}\s*(,\s*\{|\]\s*$)/

const [NUL, QUOTE, COMMA, OPEN, ESCAPE, CLOSE, BEGIN, END] = [0x00, 0x22, 0x2c, 0x5b, 0x5c, 0x5d, 0x7b, 0x7d]
const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

/**
 * From `from` on, which is 0 or the end of an object, up to `to`: what somebody appends meanwhile begins on this side of
 * the end that was seen, and would be read from its middle. Throws TICKS_DAMAGED for what no writer of ours leaves, also when
 * it is killed or the power fails.
 */
export async function scanFile(
  handle: FileHandle,
  path: string,
  { from, to }: { from: number; to: number },
  onRun: (run: Run) => void,
): Promise<Scanned> {
  const scanner = openScanner(path, from, onRun)
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
  for (let at = from; at < to; ) {
    const { bytesRead } = await handle.read(chunk, 0, Math.min(CHUNK_BYTES, to - at), at)
    if (bytesRead === 0) break
    scanner.take(chunk.subarray(0, bytesRead))
    at += bytesRead
  }
  return scanner.end()
}

function openScanner(path: string, from: number, onRun: (run: Run) => void) {
  let held = Buffer.alloc(0)
  let heldFrom = from
  let runFrom = -1
  let objectFrom = -1
  let end = from
  let depth = 0
  let inText = false
  let isEscaped = false
  let state: 'before' | 'inside' | 'closed' | 'nothing' = from === 0 ? 'before' : 'inside'

  const handOut = () => {
    if (runFrom < 0 || end <= runFrom) return
    const text = held.toString('utf8', runFrom - heldFrom, end - heldFrom)
    onRun({ text, offset: runFrom, length: end - runFrom })
    runFrom = -1
  }
  const checkRest = (to: number) =>
    refuseSeveral(held.toString('utf8', objectFrom - heldFrom, to - heldFrom), path, objectFrom)

  const outside = (byte: number, at: number) => {
    if (isSpace(byte) && state !== 'nothing') return
    if (byte === OPEN && state === 'before') {
      state = 'inside'
      end = at + 1
    } else if (byte === CLOSE && state === 'inside') state = 'closed'
    else if (byte === BEGIN && state === 'inside') {
      depth = 1
      objectFrom = at
      if (runFrom < 0) runFrom = at
    } else if (byte === NUL) {
      // What a disk shows of a write that had not reached it.
      state = 'nothing'
    } else if (byte !== COMMA || state !== 'inside') throw unexpected(byte, path, at)
  }
  const inside = (byte: number, at: number) => {
    if (byte === NUL) {
      checkRest(at)
      depth = 0
      state = 'nothing'
    } else if (inText) {
      if (isEscaped) isEscaped = false
      else if (byte === ESCAPE) isEscaped = true
      else if (byte === QUOTE) inText = false
    } else if (byte === QUOTE) inText = true
    else if (byte === BEGIN || byte === OPEN) depth++
    else if ((byte === END || byte === CLOSE) && --depth === 0) {
      end = at + 1
      if (end - runFrom >= RUN_BYTES) handOut()
    }
  }
  return {
    take(chunk: Buffer) {
      const first = heldFrom + held.length
      const keepFrom = runFrom < 0 ? first : runFrom
      held = Buffer.concat([held.subarray(keepFrom - heldFrom), chunk])
      heldFrom = keepFrom
      for (let n = 0; n < chunk.length; n++) {
        if (depth === 0) outside(chunk[n]!, first + n)
        else inside(chunk[n]!, first + n)
      }
      if (depth > 0 && first + chunk.length - objectFrom > OBJECT_BYTES_MAX) {
        throw damaged(`${path} has an object of more than ${OBJECT_BYTES_MAX} bytes at byte ${objectFrom}.`, {
          path,
        })
      }
    },
    end(): Scanned {
      if (depth > 0) checkRest(heldFrom + held.length)
      handOut()
      return { end, isWhole: state === 'closed' }
    },
  }
}

/** A writer leaves at most one half of a tick. */
function refuseSeveral(rest: string, path: string, at: number): void {
  if (!SEVERAL.test(rest)) return
  throw damaged(`${path} has an object at byte ${at} that does not end before others begin.`, { path, at })
}

const unexpected = (byte: number, path: string, at: number) =>
  damaged(`${path} has ${JSON.stringify(String.fromCharCode(byte))} at byte ${at}, outside of an object.`, {
    path,
    at,
  })
