// Recordings live beside the repository and are read there. A test that needs one says so when it is absent.
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const FOLDER = join(import.meta.dirname, '../../../shared/data')

/** The path of a recording, or undefined (with a visible line) where the folder is absent. */
export function recording(name: string): string | undefined {
  const path = join(FOLDER, name)
  if (existsSync(path)) return path
  process.stderr.write(`recording ${name} is absent: the tests that need it are skipped\n`)
  return undefined
}
