// What SQLite says about a file of ticks, as a SluiceError that names it. Not the one of src/db, which would load
// Drizzle into a thread that has no use for it.
import { messageOf, SluiceError } from '../kernel/index.ts'
import { damaged } from './block-damage.ts'

const codeOf = (error: unknown): string => String((error as { code?: unknown } | null)?.code ?? '')

/** DATABASE_BUSY, DATABASE_UNAVAILABLE (the disk is full or fails, no memory) or TICKS_DAMAGED; what is neither stays as it is. */
export function tickFileError(error: unknown, path: string): unknown {
  const code = codeOf(error)
  const reason = messageOf(error)
  const facts = { path, code, reason }
  if (error instanceof SluiceError) return error
  if (/^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(code)) {
    return new SluiceError('DATABASE_BUSY', `${path} is locked by another process.`, facts, error)
  }
  const isForeign = code === 'SQLITE_ERROR' && /^no such (table|column)/.test(reason)
  if (isForeign || /^SQLITE_(CORRUPT|NOTADB|CONSTRAINT|MISMATCH)/.test(code)) {
    return damaged(`${path} is damaged or is no file of ticks (${reason}).`, facts, error)
  }
  if (
    /^SQLITE_(CANTOPEN|READONLY|FULL|IOERR|PERM|AUTH|NOMEM|INTERRUPT)|^E[A-Z]+$/.test(code) ||
    /directory does not exist/.test(reason)
  ) {
    return new SluiceError(
      'DATABASE_UNAVAILABLE',
      `${path} cannot be opened or written (${reason}).`,
      facts,
      error,
    )
  }
  return error
}

export function inFile<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw tickFileError(error, path)
  }
}
