// Structured logs. What could be a secret is removed by name before it is written, wherever it stands.
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
  return destination ? pino(options, destination) : pino(options)
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
