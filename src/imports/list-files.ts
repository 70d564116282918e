// Which files an import reads: one, or all of a folder and the folders in it whose names say what they are. In the
// order of names, so that a second run cuts and stores the same in the same order.
import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { messageOf, SluiceError } from '../kernel/index.ts'

/** What its pieces are: objects anywhere in the text, or one on each line, or lines of CSV under a header. */
export type FileFormat = 'json' | 'jsonl' | 'csv'

export interface ImportFile {
  /** Absolute. */
  readonly path: string
  readonly format: FileFormat
  /** On the disk. */
  readonly bytes: number
  /** ms UTC, with a fraction. */
  readonly changedAt: number
}

const NAME = /\.(json|jsonl|ndjson|csv)(\.(gz|zst))?$/i
const NAMES: Readonly<Record<FileFormat, string>> = { json: '.json', jsonl: '.jsonl, .ndjson', csv: '.csv' }
const FORMATS = Object.keys(NAMES) as FileFormat[]

/** Undefined for a name that says nothing. */
export function formatOf(path: string): FileFormat | undefined {
  const extension = NAME.exec(path)?.[1]?.toLowerCase()
  return extension === 'ndjson' ? 'jsonl' : (extension as FileFormat | undefined)
}

/** Throws FILE_NOT_FOUND, or USAGE when it is a file of another name or there is nothing to import. */
export async function listImportFiles(
  path: string,
  formats: readonly FileFormat[] = FORMATS,
): Promise<ImportFile[]> {
  const absolute = resolve(path)
  const facts = await factsOf(absolute)
  const found = facts.isDirectory() ? await inFolder(absolute) : [fileOf(absolute, facts)]
  const files = found.filter((file) => file !== undefined && formats.includes(file.format))
  if (files.length > 0) return files as ImportFile[]
  const isOther = !facts.isDirectory() && !facts.isFile()
  if (isOther) {
    const message = `${path} is neither a file nor a folder; an import reads a file again where it was interrupted.`
    throw new SluiceError('USAGE', message, { path })
  }
  const what = facts.isDirectory() ? 'holds nothing to import' : 'has no name to import'
  const names = formats.map((format) => NAMES[format]).join(', ')
  throw new SluiceError(
    'USAGE',
    `${path} ${what}; allowed: ${names}, each also with .gz or .zst behind it.`,
    {
      path,
    },
  )
}

async function inFolder(folder: string): Promise<ImportFile[]> {
  const entries = await readable(folder, () => readdir(folder, { withFileTypes: true }))
  const files: ImportFile[] = []
  for (const entry of entries.sort(byName)) {
    const path = join(folder, entry.name)
    // A link to a folder is not followed: it may lead into itself.
    if (entry.isDirectory()) files.push(...(await inFolder(path)))
    else if (formatOf(path) !== undefined) {
      const file = fileOf(path, await factsOf(path))
      if (file) files.push(file)
    }
  }
  return files
}

const byName = (a: Dirent, b: Dirent) => (a.name < b.name ? -1 : 1)

type Facts = Awaited<ReturnType<typeof factsOf>>

const factsOf = (path: string) => readable(path, () => stat(path))

function fileOf(path: string, facts: Facts): ImportFile | undefined {
  const format = formatOf(path)
  if (format === undefined || !facts.isFile()) return undefined
  return { path, format, bytes: facts.size, changedAt: facts.mtimeMs }
}

async function readable<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    throw new SluiceError('FILE_NOT_FOUND', `${path} cannot be read: ${messageOf(error)}`, { path }, error)
  }
}
