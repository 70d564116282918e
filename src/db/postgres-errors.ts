// What Postgres and its connection say, as a SluiceError. Codes: postgresql.org/docs/current/errcodes-appendix.html
import { messageOf, SluiceError } from '../kernel/index.ts'
import type { Kind } from './transaction.ts'

const codeOf = (error: unknown): string => String((error as { code?: unknown } | null)?.code ?? '')

/** Lost a serialization race or a deadlock: the same work may succeed when it is tried again. */
export const isLostRace = (error: unknown): boolean => ['40001', '40P01'].includes(codeOf(error))

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

// 08 connection, 28 and 3D login and database, 53 resources, 57P shutdown, 58 system, 25P03 idle time-out. The
// driver's own errors have a system code or none at all.
const UNAVAILABLE = /^(08|28|3D|53|57P|58|25P03)|^E[A-Z_]+$/
const isUnavailable = (code: string, reason: string): boolean =>
  UNAVAILABLE.test(code) ||
  (code === '' && /connection|timeout|terminated|closed|not queryable|SSL|authentication/i.test(reason))
