// Structured logs. What could be a secret is removed by name before it is written, wherever it stands.
import { writeSync } from 'node:fs'
import { type DestinationStream, type Logger, pino } from 'pino'

export type { Logger }

const SECRET = [
  'password',
  'secret',
  'apiKey',
  'apiSecret',
  'token',
  'authorization',
  'url',
  'REDIS_URL',
  'DATABASE_URL',
  'CONSOLE_TOKEN',
]

export interface LogOptions {
  level: string
  /** The worker's name, on every line. */
  name: string
  destination?: DestinationStream
}

export function openLog({ level, name, destination }: LogOptions): Logger {
  const options = {
    name,
    level,
    base: { pid: process.pid },
    redact: { paths: SECRET.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: '[redacted]' },
    formatters: { level: (label: string) => ({ level: label }) },
    timestamp: pino.stdTimeFunctions.isoTime,
  }
  return pino(options, destination ?? standardOutput())
}

const STDOUT = 1
const FULL_MS = 10

/**
 * Each line at once. Pino's own destination tries for ever to write what it holds when nobody reads any more: a worker
 * whose supervisor had been killed never came to its end (EPIPE each 100 ms, in a loop without a way out).
 */
function standardOutput(): DestinationStream {
  const cell = new Int32Array(new SharedArrayBuffer(4))
  let isClosed = false
  return {
    write(line) {
      let left: Uint8Array = Buffer.from(line)
      while (left.length > 0 && !isClosed) {
        try {
          left = left.subarray(writeSync(STDOUT, left))
        } catch (error) {
          const { code } = error as NodeJS.ErrnoException
          if (code === 'EAGAIN') Atomics.wait(cell, 0, 0, FULL_MS)
          else if (code === 'EPIPE' || code === 'EBADF') isClosed = true
          // A full disk takes none of this line, and perhaps the next.
          else return
        }
      }
    },
  }
}

/** A URL without its password, for messages. */
export function withoutPassword(url: string): string {
  try {
    const parsed = new URL(url)
    if (parsed.password !== '') parsed.password = '***'
    return hideOptions(parsed.toString())
  } catch {
    // Several hosts, as of sentinels and clusters, are more than URL knows.
    if (!/^[a-z][\w+.-]*:\/\/\S+$/i.test(url)) return '(not a URL)'
    return hideOptions(url.replace(/^([^/]+:\/\/[^/?#:@]*):[^/?#]*@/, '$1:***@'))
  }
}

const hideOptions = (url: string) => url.replace(/([?&]\w*password=)[^&#]*/gi, '$1***')
