// Follows the grammar of JSON byte by byte, so that a break is seen where it is and not at the end of the file. No
// parser of the platform can do this: JSON.parse needs the whole text, and streaming parsers of npm end at the first
// fault and do not tell the byte offsets by which an import goes on.
//
// State: what may come next, and for each open bracket whether it is an object's.

const [KEY_OR_END, KEY, COLON, VALUE, VALUE_OR_END, COMMA_OR_END, SCALAR, TEXT, ESCAPE] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8,
] as const

// Deeper ones are broken: an object that was never closed would otherwise be looked for again from each bracket in it.
const DEPTH_MAX = 16

const [QUOTE, BACKSLASH, COMMA, COLON_SIGN] = [0x22, 0x5c, 0x2c, 0x3a]
const [OPEN_LIST, CLOSE_LIST, OPEN, CLOSE] = [0x5b, 0x5d, 0x7b, 0x7d]

export interface ObjectScan {
  expected: number
  /** What comes behind a text: a colon when it is a key. */
  behindText: number
  depth: number
  /** Bit n: the bracket at depth n is an object's. */
  objects: number
  /** A key and its colon were seen: this was meant to be an object. */
  hasKey: boolean
}

export type Scanned = 'open' | 'closed' | 'broken'

/** Of an object whose opening bracket was just read. */
export const beginObject = (): ObjectScan => ({
  expected: KEY_OR_END,
  behindText: COLON,
  depth: 0,
  objects: 1,
  hasKey: false,
})

const isSpace = (byte: number) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
// Loose on purpose: NaN, 1.2.3 or nul end where a value ends, and whoever parses the piece says what is wrong.
const isScalar = (byte: number) =>
  (byte >= 0x30 && byte <= 0x39) ||
  (byte >= 0x61 && byte <= 0x7a) ||
  (byte >= 0x41 && byte <= 0x5a) ||
  byte === 0x2b ||
  byte === 0x2d ||
  byte === 0x2e

/**
 * Goes on at `place.at`, and leaves it behind the closing bracket, at the byte that breaks the grammar, or at the end
 * of the bytes when the object is still open.
 */
export function scanObject(bytes: Buffer, place: { at: number }, scan: ObjectScan): Scanned {
  let { at } = place
  let outcome: Scanned = 'open'
  while (at < bytes.length && outcome === 'open') {
    if (scan.expected === TEXT) {
      at = skipText(bytes, at)
      if (at === bytes.length) break
      const byte = bytes[at]!
      if (byte === BACKSLASH) scan.expected = ESCAPE
      else if (byte === QUOTE) scan.expected = scan.behindText
      else outcome = 'broken'
    } else if (scan.expected === ESCAPE) scan.expected = TEXT
    else if (scan.expected === SCALAR) {
      while (at < bytes.length && isScalar(bytes[at]!)) at++
      if (at === bytes.length) break
      scan.expected = COMMA_OR_END
      continue
    } else if (!isSpace(bytes[at]!)) outcome = step(bytes[at]!, scan)
    if (outcome !== 'broken') at++
  }
  place.at = at
  return outcome
}

/** To the next byte that ends, escapes or breaks a text. */
function skipText(bytes: Buffer, from: number): number {
  let at = from
  for (; at < bytes.length; at++) {
    const byte = bytes[at]!
    if (byte === QUOTE || byte === BACKSLASH || byte < 0x20) break
  }
  return at
}

function step(byte: number, scan: ObjectScan): Scanned {
  switch (scan.expected) {
    case KEY_OR_END:
      if (byte === CLOSE) return close(scan)
      return key(byte, scan)
    case KEY:
      return key(byte, scan)
    case COLON:
      if (byte !== COLON_SIGN) return 'broken'
      scan.expected = VALUE
      scan.hasKey = true
      return 'open'
    case VALUE_OR_END:
      if (byte === CLOSE_LIST) return close(scan)
      return value(byte, scan)
    case VALUE:
      return value(byte, scan)
    default:
      return comma(byte, scan)
  }
}

const isInObject = (scan: ObjectScan) => (scan.objects & (1 << scan.depth)) !== 0

function key(byte: number, scan: ObjectScan): Scanned {
  if (byte !== QUOTE) return 'broken'
  scan.expected = TEXT
  scan.behindText = COLON
  return 'open'
}

function value(byte: number, scan: ObjectScan): Scanned {
  if (byte === QUOTE) {
    scan.expected = TEXT
    scan.behindText = COMMA_OR_END
  } else if (byte === OPEN || byte === OPEN_LIST) {
    scan.depth++
    if (scan.depth >= DEPTH_MAX) return 'broken'
    const bit = 1 << scan.depth
    scan.objects = byte === OPEN ? scan.objects | bit : scan.objects & ~bit
    scan.expected = byte === OPEN ? KEY_OR_END : VALUE_OR_END
  } else if (isScalar(byte)) scan.expected = SCALAR
  else return 'broken'
  return 'open'
}

function comma(byte: number, scan: ObjectScan): Scanned {
  if (byte === COMMA) scan.expected = isInObject(scan) ? KEY : VALUE
  else if (byte === (isInObject(scan) ? CLOSE : CLOSE_LIST)) return close(scan)
  else return 'broken'
  return 'open'
}

function close(scan: ObjectScan): Scanned {
  scan.depth--
  scan.expected = COMMA_OR_END
  return scan.depth < 0 ? 'closed' : 'open'
}
