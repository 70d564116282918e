// What SQLite says, as a SluiceError that names the file.
import { messageOf, SluiceError } from '../kernel/index.ts'
import { TryAgain } from './run.ts'
import type { Kind } from './transaction.ts'

const codeOf = (error: unknown): string => String((error as { code?: unknown } | null)?.code ?? '')

export function isBusy(error: unknown): boolean {
  const code = codeOf(error)
  return code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED') || code === 'SQLITE_PROTOCOL'
}

/** DATABASE_BUSY, DATABASE_INVALID, DATABASE_UNAVAILABLE, DATABASE_CONSTRAINT, MIGRATION_PENDING or USAGE. */
export function sqliteError(error: unknown, path: string, kind: Kind = 'write'): SluiceError {
  if (error instanceof SluiceError) return error
  const code = codeOf(error)
  const reason = messageOf(error)
  const facts = { path, code, reason }
  const as = (name: ConstructorParameters<typeof SluiceError>[0], message: string) =>
    new SluiceError(name, message, facts, error)
  if (isBusy(error)) return as('DATABASE_BUSY', `${path} is locked by another writer.`)
  if (code.startsWith('SQLITE_CONSTRAINT')) return as('DATABASE_CONSTRAINT', `A row was refused: ${reason}.`)
  if (code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT')) {
    return as('DATABASE_INVALID', `${path} is damaged or is no SQLite database (${reason}).`)
  }
  if (code.startsWith('SQLITE_READONLY') && kind === 'read') return as('USAGE', 'read() wrote; use write().')
  if (/^no such (table|column)/.test(reason) || /has no column named/.test(reason)) {
    return as('MIGRATION_PENDING', `${path} has ${reason}; run \`sluice db migrate\`.`)
  }
  if (
    /^SQLITE_(CANTOPEN|READONLY|FULL|IOERR|PERM|AUTH|NOMEM)|^E[A-Z]+$/.test(code) ||
    /directory does not exist/.test(reason)
  ) {
    return as('DATABASE_UNAVAILABLE', `${path} cannot be opened or written (${reason}).`)
  }
  return as('USAGE', `SQLite refused a statement: ${reason}.`)
}

/** Another attempt makes sense when the file was locked, and only then. */
export function thrown(error: unknown, path: string): SluiceError | TryAgain {
  const translated = sqliteError(error, path)
  return translated.code === 'DATABASE_BUSY' ? new TryAgain(translated) : translated
}
