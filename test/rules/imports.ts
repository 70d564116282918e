// Who imports whom: the floors, the doors between folders, and files that nobody opens.
import { dirname, join, normalize } from 'node:path/posix'
import type { SourceFile, Violation } from './files.ts'
import { lineCounter, scan } from './scan.ts'

/** Higher may import lower. Folders of one number do not know each other. docs/ARCHITECTURE.md draws it. */
export const FLOORS: Readonly<Record<string, number>> = {
  schema: 0,
  'src/kernel': 0,
  'src/redis': 1,
  'src/db': 1,
  'src/bus': 2,
  'src/locks': 3,
  'src/cache': 3,
  'src/jobs': 3,
  'src/cutover': 3,
  'src/imports': 3,
  'src/catalog': 4,
  'src/venues': 5,
  'src/market': 6,
  'src/ticks': 6,
  'src/candles': 6,
  'src/signals': 6,
  'src/arbitrage': 6,
  'src/ledger': 6,
  'src/funding': 6,
  'src/insights': 6,
  'src/console': 7,
  'src/projections': 7,
  'src/platform.ts': 8,
  'src/sources.ts': 8,
  'src/cli': 9,
  workers: 9,
  bin: 9,
}

export interface Import {
  readonly from: string
  /** The imported file, from the root of the project; a package by its name. */
  readonly to: string
  readonly relative: boolean
  readonly line: number
}

const IMPORT = /(?:\bfrom\s*|\bimport\s*\(?\s*)(['"])([^'"\n]+)\1/g

export function importsOf({ path, text }: SourceFile): Import[] {
  const { withStrings, code } = scan(text)
  const lineOf = lineCounter(text)
  const found: Import[] = []
  for (const match of withStrings.matchAll(IMPORT)) {
    // The words must be code: a string that only says "from 'x'" is none.
    if (code[match.index] === ' ') continue
    const specifier = match[2]!
    const relative = specifier.startsWith('.')
    const to = relative ? normalize(join(dirname(path), specifier)) : specifier
    found.push({ from: path, to, relative, line: lineOf(match.index) })
  }
  return found
}

/** The folder (or single file) of the floors that a path belongs to. */
export function placeOf(path: string): string | undefined {
  return Object.keys(FLOORS).find((place) => path === place || path.startsWith(`${place}/`))
}

/** Imports go down only, and never between folders of one floor. */
export function checkFloors(files: readonly SourceFile[]): Violation[] {
  const violations: Violation[] = []
  for (const file of files) {
    const place = placeOf(file.path)
    if (place === undefined) {
      violations.push({ path: file.path, line: 1, what: 'stands on no floor: give its folder one in FLOORS' })
      continue
    }
    for (const { to, relative, line } of importsOf(file)) {
      const target = relative ? placeOf(to) : undefined
      if (!relative || target === place) continue
      if (target === undefined)
        violations.push({ path: file.path, line, what: `imports ${to}, which stands on no floor` })
      else if (FLOORS[target]! > FLOORS[place]!) {
        violations.push({ path: file.path, line, what: `imports up: ${place} must not know ${target}` })
      } else if (FLOORS[target] === FLOORS[place]) {
        violations.push({ path: file.path, line, what: `imports sideways: ${place} must not know ${target}` })
      }
    }
  }
  return violations
}

/** Another folder is entered through its index.ts. */
export function checkDoors(files: readonly SourceFile[]): Violation[] {
  return files.flatMap((file) =>
    importsOf(file)
      .filter(({ to, relative }) => {
        const target = placeOf(to)
        if (!relative || target === undefined || target === placeOf(file.path)) return false
        return to !== target && to !== `${target}/index.ts`
      })
      .map(({ to, line }) => ({
        path: file.path,
        line,
        what: `imports ${to}; the door is ${placeOf(to)}/index.ts`,
      })),
  )
}

/** Files that cannot be reached from any entry. */
export function checkDeadFiles(
  files: readonly SourceFile[],
  isEntry: (path: string) => boolean,
): Violation[] {
  const byPath = new Map(files.map((file) => [file.path, file]))
  const reached = new Set<string>()
  const open = [...byPath.keys()].filter(isEntry)
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const file = byPath.get(path)
    if (!file || reached.has(path)) continue
    reached.add(path)
    for (const { to, relative } of importsOf(file)) if (relative) open.push(to)
  }
  return [...byPath.keys()]
    .filter((path) => !reached.has(path))
    .map((path) => ({ path, line: 1, what: 'nobody imports this file' }))
}
