// The operators of queries. Stores import them from src/db and never from drizzle-orm: schema/drizzle.ts says why.
import { drizzle } from '../../schema/index.ts'

export const {
  and,
  asc,
  count,
  desc,
  eq,
  gt,
  gte,
  inArray,
  isNotNull,
  isNull,
  lt,
  lte,
  max,
  min,
  notInArray,
  sql,
} = drizzle
