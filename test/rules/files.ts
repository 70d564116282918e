// The files that the house rules look at.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'

export const ROOT = join(import.meta.dirname, '../..')

export interface SourceFile {
  /** From the root of the project, with `/`. */
  readonly path: string
  readonly text: string
}

/** A broken rule, as `path:line  what`. */
export interface Violation {
  readonly path: string
  readonly line: number
  readonly what: string
}

/** How violations are compared and shown: as lines. */
export const shown = (violations: readonly Violation[]): string[] =>
  violations.map(({ path, line, what }) => `${path}:${line}  ${what}`)

export const readProjectFile = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

/** Files below the folders whose names match, sorted; folders that do not exist are left out. */
export function filesIn(folders: readonly string[], name: RegExp): SourceFile[] {
  return folders
    .filter((folder) => existsSync(join(ROOT, folder)))
    .flatMap((folder) => walk(join(ROOT, folder)))
    .filter((path) => name.test(path))
    .map((path) => ({ path: relative(ROOT, path).replaceAll('\\', '/'), text: readFileSync(path, 'utf8') }))
}

/** Everything that runs: src, workers, schema, bin. */
export const productFiles = (): SourceFile[] => filesIn(['src', 'workers', 'schema', 'bin'], /\.(ts|mjs)$/)

export const testFiles = (): SourceFile[] => filesIn(['test'], /\.ts$/)

const walk = (path: string): string[] =>
  statSync(path).isDirectory()
    ? readdirSync(path)
        .filter((entry) => entry !== 'node_modules')
        .sort()
        .flatMap((entry) => walk(join(path, entry)))
    : [path]
