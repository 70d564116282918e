// Words and constructs that have their one place. Each rule names the place and what to use instead.
import { basename } from 'node:path/posix'
import type { SourceFile, Violation } from './files.ts'
import { lineCounter, scan } from './scan.ts'

export interface Convention {
  readonly name: string
  /** Searched in code without comments and strings. */
  readonly banned: RegExp
  readonly allowedIn: (path: string) => boolean
  readonly instead: string
}

const within =
  (...places: string[]) =>
  (path: string) =>
    places.some((place) => path === place || (place.endsWith('/') && path.startsWith(place)))

// It must work before anything is installed, so it cannot use the kernel.
const SETUP = ['bin/setup.mjs', 'bin/prepare.mjs']

export const CONVENTIONS: readonly Convention[] = [
  {
    name: 'the environment',
    banned: /\bprocess\.env\b/g,
    allowedIn: within('src/kernel/config.ts', ...SETUP),
    instead: 'read a setting of the Config',
  },
  {
    name: 'the clock',
    banned: /\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\.now\b|\bset(Timeout|Interval)\b/g,
    allowedIn: within('src/kernel/', ...SETUP),
    instead: 'take a Clock, or afterMs of the kernel',
  },
  {
    name: 'randomness',
    banned: /\bMath\.random\b|\brandomUUID\b|\brandomBytes\b|\bgetRandomValues\b/g,
    allowedIn: within('src/kernel/'),
    instead: 'derive it (deriveId), seed it, or use randomId of the kernel',
  },
  {
    name: 'connections',
    banned: /\bnew (Redis|Cluster|IORedis)\b/g,
    allowedIn: within('src/redis/connect.ts'),
    instead: 'use connectRedis with a role',
  },
  {
    name: 'the terminal',
    banned: /\bconsole\.|\bprocess\.(stdout|stderr)\b/g,
    allowedIn: within('src/cli/', 'bin/'),
    instead: 'use the log of the platform',
  },
  {
    name: 'the end of the process',
    banned: /\bprocess\.exit\b/g,
    allowedIn: within('src/cli/', 'bin/', 'src/platform.ts'),
    instead: 'reject; the worker ends when its tasks do',
  },
  {
    name: 'folders',
    banned: /\bmkdir(Sync)?\b/g,
    allowedIn: within('src/kernel/folder.ts', ...SETUP),
    instead: 'use makeFolder of the kernel',
  },
  {
    name: 'exports',
    banned: /\bexport \*|\bexport default\b/g,
    allowedIn: () => false,
    instead: 'export by name',
  },
  {
    name: 'types',
    banned: /\bas any\b|<any>|:\s*any\b/g,
    allowedIn: () => false,
    instead: 'use unknown and narrow it',
  },
  {
    name: 'classes',
    banned: /\bclass (?!\w+ extends \w*Error\b)\w+/g,
    allowedIn: () => false,
    instead: 'use a function that returns closures; a class is for errors',
  },
]

export function checkConventions(files: readonly SourceFile[]): Violation[] {
  return files.flatMap(({ path, text }) => {
    const { code } = scan(text)
    const lineOf = lineCounter(text)
    return CONVENTIONS.filter((rule) => !rule.allowedIn(path)).flatMap((rule) =>
      [...code.matchAll(rule.banned)].map((match) => ({
        path,
        line: lineOf(match.index),
        what: `${match[0].trim()} (${rule.name}): ${rule.instead}`,
      })),
    )
  })
}

// word:rest or {word:rest, as Redis keys and channels are written; not node:fs, not redis://.
const REDIS_NAME = /^\{?[a-z][a-z._-]*:(?!\/\/|\s|$)/

/** Where bookkeeping keys of the mechanisms are named beside the catalog. */
const NAMES_ALLOWED = within('src/catalog/', 'src/bus/stream.ts', 'src/cache/', 'src/locks/', ...SETUP)

/** A Redis name is written once, in the catalog; `streams` are the names that have no colon. */
export function checkRedisNames(files: readonly SourceFile[], streams: readonly string[]): Violation[] {
  return files
    .filter(({ path }) => !NAMES_ALLOWED(path))
    .flatMap(({ path, text }) =>
      scan(text)
        .literals.filter((literal) => isRedisName(literal.text, streams))
        .map(({ text: name, line }) => ({
          path,
          line,
          what: `'${name}' is a Redis name: take it from the catalog`,
        })),
    )
}

// `signals` is also an ordinary word, so only names with a dot are certain to be streams.
const isRedisName = (text: string, streams: readonly string[]) =>
  (REDIS_NAME.test(text) && !/^(node|replay|data|file|sqlite|sluice|socket):/.test(text)) ||
  (text.includes('.') && streams.includes(text))

const VAGUE = /^(utils?|helpers?|common|types?|managers?|services?|misc|stuff)$/

/** A file is named by the noun or the verb-noun inside. */
export function checkNames(files: readonly SourceFile[]): Violation[] {
  return files.flatMap(({ path }) => {
    const name = basename(path).replace(/(\.test|\.config)?\.(ts|mjs)$/, '')
    const vague = [...path.split('/').slice(0, -1), name.split('-').at(-1)!].filter((word) =>
      VAGUE.test(word),
    )
    const violations = vague.map((word) => ({
      path,
      line: 1,
      what: `'${word}' says nothing: name what is inside`,
    }))
    return /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)
      ? violations
      : [...violations, { path, line: 1, what: 'a file name is kebab-case' }]
  })
}

// Written in two halves, so that this file does not break its own rule.
const LEFTOVERS = new RegExp(
  `\\b(${'TO'}DO|${'FIX'}ME|${'XX'}X|${'HA'}CK)\\b|@ts-(ignore|nocheck)|biome-${'ignore-all'}`,
  'g',
)
const MACHINE_PATHS = new RegExp(`(?<![\\w.:/-])/(${'wo'}rk|${'tm'}p|Users/[a-z]+)/[\\w.-]+`, 'g')

/** Nothing is left for later, and nothing names the machine it was written on. */
export function checkLeftovers(files: readonly SourceFile[]): Violation[] {
  return files.flatMap(({ path, text }) => {
    const lineOf = lineCounter(text)
    return [...text.matchAll(LEFTOVERS), ...text.matchAll(MACHINE_PATHS)].map((match) => ({
      path,
      line: lineOf(match.index),
      what: `'${match[0]}' does not belong into a committed file`,
    }))
  })
}

const MAX_LINES = 300

/** A longer file holds two things. (Functions over 60 lines are found by Biome, see biome.json.) */
export function checkLengths(files: readonly SourceFile[]): Violation[] {
  return files
    .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
    .filter(({ lines }) => lines > MAX_LINES)
    .map(({ path, lines }) => ({ path, line: MAX_LINES, what: `${lines} lines; at most ${MAX_LINES}` }))
}
