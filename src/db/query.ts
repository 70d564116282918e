// The operators of queries. Stores import them from src/db and never from drizzle-orm: schema/drizzle.ts says why.
import { drizzle } from '../../schema/index.ts'

export type { SQL } from 'drizzle-orm'

export const {
  and,
  asc,
  count,
  desc,
  eq,
  exists,
  gt,
  gte,
  inArray,
  isNotNull,
  isNull,
  like,
  lt,
  lte,
  max,
  min,
  ne,
  not,
  notExists,
  notInArray,
  or,
  sql,
} = drizzle
