// One connection of the pool, as Drizzle wants it, with what the driver leaves open: int8 arrives as an exact number
// or not at all, queries go one after another also under Promise.all, and a failed one spoils its transaction.
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { NodePgDatabase } from 'drizzle-orm/node-postgres'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { nodePostgres } from '../../schema/index.ts'
import { SluiceError } from '../kernel/index.ts'
import type { Copy } from './copy-postgres.ts'
import { postgresError } from './postgres-errors.ts'
import { assertUsable, fail, type Transaction } from './transaction.ts'

const INT8 = 20

const types = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (oid === INT8 && format !== 'binary') return exactNumber
    return pg.types.getTypeParser(oid, format as 'text')
  },
}

function exactNumber(text: string): number {
  const number = Number(text)
  if (Number.isSafeInteger(number)) return number
  throw new SluiceError('DATABASE_INVALID', `${text} is stored, which no float64 holds exactly.`)
}

export interface NamedText {
  readonly name: string
  readonly text: string
}

/** Gives rows as arrays. The connection keeps the statement under its name, parsed and planned. */
export const queryOf = ({ name, text }: NamedText): pg.QueryConfig =>
  ({ name, text, rowMode: 'array', types }) as pg.QueryConfig

/** Makes texts, and runs nothing. */
export const textBuilder = nodePostgres.drizzle({ client: {} as pg.PoolClient })

/** A query builder that belongs to one transaction, and `settle`, which waits for the queries it was given. */
export function postgresBuilder(
  client: pg.PoolClient,
  transaction: Transaction,
  where: string,
): {
  builder: NodePgDatabase
  cellsOf: (statement: NamedText, values: unknown[]) => Promise<unknown[][]>
  copy: Copy
  settle: () => Promise<unknown>
} {
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(run: () => Promise<T>): Promise<T> => {
    const result = last.then(async () => {
      assertUsable(transaction)
      try {
        return await run()
      } catch (error) {
        throw fail(transaction, postgresError(error, where, transaction.kind))
      }
    })
    last = result.catch(() => undefined)
    return result
  }
  const query = (config: pg.QueryConfig, values: unknown[]) =>
    inTurn(() => client.query({ ...config, types } as pg.QueryConfig, values))
  const builder = nodePostgres.drizzle({ client: { query } as unknown as pg.PoolClient })
  const cellsOf = async (statement: NamedText, values: unknown[]) =>
    (await query(queryOf(statement), values)).rows as unknown[][]
  const copy: Copy = (text, bytes) =>
    inTurn(() => pipeline(Readable.from([bytes]), client.query(copyFrom(text))))
  return { builder, cellsOf, copy, settle: () => last }
}
