// Where an import is: one line that is written over on a terminal, a line now and then where nobody watches, nothing
// for programs, which wait for the result.
import { basename } from 'node:path'
import { isatty } from 'node:tty'
import type { ImportProgress } from '../imports/index.ts'
import { systemClock } from '../kernel/index.ts'
import type { Terminal } from './terminal.ts'

export interface ProgressLine {
  show(progress: ImportProgress): void
  /** Makes room for other lines. */
  end(): void
}

const REDRAW_MS = 100
const PLAIN_LINE_MS = 5_000
const BAR_CHARS = 24
const ERASE_LINE = '\r\u001b[K'

export function openProgressLine(
  terminal: Terminal,
  { isTerminal = isatty(2), write = (text: string) => void process.stderr.write(text) } = {},
): ProgressLine {
  // The first plain line comes when somebody might begin to wonder.
  let last = isTerminal ? Number.NEGATIVE_INFINITY : systemClock.monotonic()
  let isDrawn = false
  return {
    show(progress) {
      const now = systemClock.monotonic()
      if (terminal.json || now - last < (isTerminal ? REDRAW_MS : PLAIN_LINE_MS)) return
      last = now
      if (!isTerminal) return terminal.note(factsOf(progress), 'progress')
      const line = `${barOf(progress)} ${factsOf(progress)}`
      // A line that is wrapped could not be written over.
      write(`${ERASE_LINE}${line.slice(0, (process.stderr.columns ?? 80) - 1)}`)
      isDrawn = true
    },
    end() {
      if (isDrawn) write(ERASE_LINE)
      isDrawn = false
    },
  }
}

const shareOf = ({ bytesDone, bytesTotal }: ImportProgress) => (bytesTotal === 0 ? 1 : bytesDone / bytesTotal)

function barOf(progress: ImportProgress): string {
  const filled = Math.round(shareOf(progress) * BAR_CHARS)
  return `[${'#'.repeat(filled)}${'.'.repeat(BAR_CHARS - filled)}]`
}

function factsOf(progress: ImportProgress): string {
  const { bytesDone, bytesTotal, piecesPerSecond, remainingMs, path, file, files } = progress
  return [
    `${Math.floor(shareOf(progress) * 100)} %`,
    `${megabytes(bytesDone)} of ${megabytes(bytesTotal)}`,
    `${whole(piecesPerSecond)}/s`,
    ...(remainingMs === undefined ? [] : [`${duration(remainingMs)} left`]),
    `${files > 1 ? `${file}/${files} ` : ''}${basename(path)}`,
  ].join('  ')
}

export const whole = (value: number): string => Math.round(value).toLocaleString('en-US')

export const megabytes = (bytes: number): string =>
  bytes >= 1e9 ? `${(bytes / 1e9).toFixed(2)} GB` : `${(bytes / 1e6).toFixed(1)} MB`

/** 7 s, 3:05 min, 2:10 h. */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1_000)
  if (seconds < 60) return `${seconds} s`
  const [big, small, unit] =
    seconds < 3_600 ? [seconds / 60, seconds % 60, 'min'] : [seconds / 3_600, (seconds % 3_600) / 60, 'h']
  return `${Math.floor(big)}:${String(Math.floor(small)).padStart(2, '0')} ${unit}`
}
