// Folders are made here and nowhere else: below /proc Node's own recursive mkdir (24.21) tries for ever, at 100 %.
import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { messageOf, SluiceError } from './errors.ts'

/**
 * Makes a folder with all above it that are missing. Answers the first that was made, as it stands in `path`; undefined
 * when it was there. Throws DATABASE_UNAVAILABLE, naming folder and cause.
 * @param mode permissions of what is made; default: all that the process may give
 */
export function makeFolder(path: string, mode?: number): string | undefined {
  try {
    return makeMissing(path, mode)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    const sentence = `The folder ${path} cannot be made: ${messageOf(error)}.`
    throw new SluiceError('DATABASE_UNAVAILABLE', sentence, { path, code }, error)
  }
}

function makeMissing(path: string, mode: number | undefined): string | undefined {
  try {
    return makeOne(path, mode)
  } catch (error) {
    const above = dirname(path)
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || above === path) throw error
    const first = makeMissing(above, mode)
    // Once: where nothing can be made at all, this says why.
    const made = makeOne(path, mode)
    return first ?? made
  }
}

function makeOne(path: string, mode: number | undefined): string | undefined {
  try {
    mkdirSync(path, { mode })
    return path
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code === 'EEXIST'
    if (isThere && statSync(path).isDirectory()) return undefined
    throw error
  }
}
