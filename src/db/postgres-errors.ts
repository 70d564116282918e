// What Postgres and its connection say, as a SluiceError. Codes: postgresql.org/docs/current/errcodes-appendix.html
import { messageOf, SluiceError } from '../kernel/index.ts'
import type { Kind } from './transaction.ts'

const codeOf = (error: unknown): string => String((error as { code?: unknown } | null)?.code ?? '')

/** Lost a serialization race or a deadlock: the same work may succeed when it is tried again. */
export const isLostRace = (error: unknown): boolean => ['40001', '40P01'].includes(codeOf(error))

/** A migration gave columns other types since the connection planned the statement: another connection answers it. */
export const isStalePlan = (error: unknown): boolean =>
  codeOf(error) === '0A000' && (error as { routine?: unknown }).routine === 'RevalidateCachedQuery'

/** DATABASE_BUSY, DATABASE_UNAVAILABLE, DATABASE_CONSTRAINT, MIGRATION_PENDING or USAGE. */
export function postgresError(error: unknown, where: string, kind: Kind = 'write'): SluiceError {
  if (error instanceof SluiceError) return error
  const code = codeOf(error)
  const reason = messageOf(error)
  const facts = { where, code, reason }
  const as = (name: ConstructorParameters<typeof SluiceError>[0], message: string) =>
    new SluiceError(name, message, facts, error)
  if (code === '25006' && kind === 'read') return as('USAGE', 'read() wrote; use write().')
  if (code.startsWith('23')) return as('DATABASE_CONSTRAINT', `A row was refused: ${reason}.`)
  if (code === '42P01' || code === '42703') {
    return as('MIGRATION_PENDING', `${where}: ${reason}; run \`sluice db migrate\`.`)
  }
  // Lock or statement time-out, deadlock, serialization: somebody else was in the way.
  if (['55P03', '57014', '40001', '40P01'].includes(code)) {
    return as('DATABASE_BUSY', `${where} did not get through in time (${reason}).`)
  }
  if (isUnavailable(code, reason)) return as('DATABASE_UNAVAILABLE', `${where} did not answer (${reason}).`)
  return as('USAGE', `Postgres refused a statement: ${reason}.`)
}

// 08 connection, 28 and 3D login and database, 42501 permission, 53 resources, 55000 lets nobody in, 57P shutdown, 58 and
// XX system, 25P03 idle time-out, 25006 a replica or a provider that lets nothing be written. The driver's own errors
// have a system code or none at all. Whatever a person may mend is here, because callers give up what is refused.
const UNAVAILABLE = /^(08|25006|25P03|28|3D|42501|53|55000|57P|58|XX)|^E[A-Z_]+$/
const isUnavailable = (code: string, reason: string): boolean =>
  UNAVAILABLE.test(code) ||
  (code === '' && /connection|timeout|terminated|closed|not queryable|SSL|authentication/i.test(reason))
