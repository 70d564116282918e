// What the phase of `candles` must know of the setting before anything is opened.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Backing, Side } from '../cutover/index.ts'
import type { Database } from '../db/index.ts'
import type { Config } from '../kernel/index.ts'

export interface CandleBackingOptions {
  readonly config: Pick<Config, 'CANDLES_BACKEND' | 'DATA_DIR'>
  readonly database: Database
}

export function candleBacking({ config, database }: CandleBackingOptions): Backing {
  const value = config.CANDLES_BACKEND
  const holds: Record<Side, () => Promise<boolean>> = {
    async legacy() {
      const dir = join(config.DATA_DIR, 'candles')
      if (!existsSync(dir)) return false
      return readdirSync(dir, { recursive: true, encoding: 'utf8' }).some((name) => name.endsWith('.csv'))
    },
    async current() {
      const rows = await database.read(({ sql, t: { candles } }) =>
        sql.select({ source: candles.source }).from(candles).limit(1),
      )
      return rows.length > 0
    },
  }
  return {
    ...{ setting: 'CANDLES_BACKEND', value, uses: value === 'dual' ? 'both' : 'current' },
    holds: (side) => holds[side](),
  }
}
