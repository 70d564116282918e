// ISO 8601 with a zone and up to nine digits of a second, exactly: a float64 of today's ms holds steps of 244 ns only.
// Times are most of the work of reading a file of ticks, hence by character and not by a regular expression and Date.

export interface TickTime {
  /** ms UTC, whole. */
  readonly time: number
  /** ns beyond the millisecond. */
  readonly nanos: number
}

const DAY_MS = 86_400_000
const [T, t, SPACE, Z, z] = [0x54, 0x74, 0x20, 0x5a, 0x7a]
const [DOT, COMMA, PLUS, MINUS, COLON] = [0x2e, 0x2c, 0x2b, 0x2d, 0x3a]

/** Undefined for what is no time, has no zone, or has more than nine digits of a second. */
export function parseTime(text: string): TickTime | undefined {
  const day = dayOf(text)
  const clock = clockOf(text)
  if (day === undefined || clock === undefined) return undefined
  let at = 19
  let fraction = 0
  const mark = text.charCodeAt(at)
  if (mark === DOT || mark === COMMA) {
    const begin = ++at
    for (let digit = digitAt(text, at); digit >= 0; digit = digitAt(text, ++at))
      fraction = fraction * 10 + digit
    const digits = at - begin
    if (digits < 1 || digits > 9) return undefined
    fraction *= 10 ** (9 - digits)
  }
  const zoneMs = zoneOf(text, at)
  if (zoneMs === undefined) return undefined
  const nanos = fraction % 1_000_000
  return { time: day * DAY_MS + clock + (fraction - nanos) / 1_000_000 - zoneMs, nanos }
}

const TWO = Array.from({ length: 100 }, (_, n) => String(n).padStart(2, '0'))
let writtenDay = Number.NaN
let writtenDate = ''

/** In UTC with nine digits: 2026-01-19T11:51:51.897268500Z. For years 0 to 9999. */
export function timeText({ time, nanos }: TickTime): string {
  const day = Math.floor(time / DAY_MS)
  if (day !== writtenDay) {
    writtenDate = new Date(day * DAY_MS).toISOString().slice(0, 11)
    writtenDay = day
  }
  const ms = time - day * DAY_MS
  const seconds = Math.floor(ms / 1_000)
  const minutes = Math.floor(seconds / 60)
  const clock = `${TWO[Math.floor(minutes / 60)]}:${TWO[minutes % 60]}:${TWO[seconds % 60]}`
  // A one in front, and off again, keeps the zeros.
  return `${writtenDate}${clock}.${String(1e9 + (ms - seconds * 1_000) * 1e6 + nanos).slice(1)}Z`
}

const digitAt = (text: string, at: number): number => {
  const digit = text.charCodeAt(at) - 0x30
  return digit >= 0 && digit <= 9 ? digit : -1
}

/** Two digits as a number; negative when one is none. */
function twoAt(text: string, at: number): number {
  const [tens, ones] = [digitAt(text, at), digitAt(text, at + 1)]
  return tens < 0 || ones < 0 ? -1 : tens * 10 + ones
}

// A file holds the times of a day or two.
let lastDate = ''
let lastDay: number | undefined

/** Days since 1970 of the first ten characters. */
function dayOf(text: string): number | undefined {
  if (lastDate !== '' && text.startsWith(lastDate)) return lastDay
  if (text.charCodeAt(4) !== MINUS || text.charCodeAt(7) !== MINUS) return undefined
  const [century, year, month, day] = [twoAt(text, 0), twoAt(text, 2), twoAt(text, 5), twoAt(text, 8)]
  if (century < 0 || year < 0 || month < 1 || day < 1) return undefined
  const date = new Date(0)
  // Not Date.UTC, which takes years below 100 for those of the twentieth century.
  date.setUTCFullYear(century * 100 + year, month - 1, day)
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined
  lastDate = text.slice(0, 10)
  lastDay = date.getTime() / DAY_MS
  return lastDay
}

/** ms of the day of the characters 10 to 18. */
function clockOf(text: string): number | undefined {
  const mark = text.charCodeAt(10)
  if (mark !== T && mark !== t && mark !== SPACE) return undefined
  if (text.charCodeAt(13) !== COLON || text.charCodeAt(16) !== COLON) return undefined
  const [hours, minutes, seconds] = [twoAt(text, 11), twoAt(text, 14), twoAt(text, 17)]
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 59) return undefined
  return ((hours * 60 + minutes) * 60 + seconds) * 1_000
}

/** ms east of UTC; the zone must end the text. */
function zoneOf(text: string, at: number): number | undefined {
  const mark = text.charCodeAt(at)
  if (mark === Z || mark === z) return at + 1 === text.length ? 0 : undefined
  if (mark !== PLUS && mark !== MINUS) return undefined
  const hours = twoAt(text, at + 1)
  const left = text.length - at - 3
  const colon = text.charCodeAt(at + 3) === COLON
  const minutes = left === 0 ? 0 : twoAt(text, colon ? at + 4 : at + 3)
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return undefined
  if (left !== 0 && left !== (colon ? 3 : 2)) return undefined
  return (mark === PLUS ? 1 : -1) * (hours * 60 + minutes) * 60_000
}
