// Drizzle through its CommonJS build. Node parses a package's package.json again for every ES module in it, and
// Drizzle's has 179 kB for 136 modules: importing it costs 550 ms and 180 MB more than requiring it (measured,
// Node 24.21), in each worker. So its values come from here and from src/db; `import type` costs nothing.
import { createRequire } from 'node:module'
import { join } from 'node:path'

// drizzle-kit reads this as CommonJS, where a module has no URL; it runs in the folder of package.json.
const load = createRequire(import.meta.url ?? join(process.cwd(), 'package.json'))

export const drizzle = load('drizzle-orm') as typeof import('drizzle-orm')
export const drizzlePostgres = load('drizzle-orm/pg-core') as typeof import('drizzle-orm/pg-core')
export const drizzleSqlite = load('drizzle-orm/sqlite-core') as typeof import('drizzle-orm/sqlite-core')
export const nodePostgres = load('drizzle-orm/node-postgres') as typeof import('drizzle-orm/node-postgres')
export const betterSqlite = load('drizzle-orm/better-sqlite3') as typeof import('drizzle-orm/better-sqlite3')
