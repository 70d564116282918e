// Everything that speaks of itself in a process.
import type { ArbitrageEmitter, DetectorEmitter } from '../arbitrage/index.ts'
import type { BusEmitter } from '../bus/index.ts'
import type { CacheEmitter } from '../cache/index.ts'
import type { CandleEmitter } from '../candles/index.ts'
import type { ProjectionEmitter } from '../catalog/index.ts'
import type { CutoverEmitter } from '../cutover/index.ts'
import type { DatabaseEmitter } from '../db/index.ts'
import type { FundingEmitter } from '../funding/index.ts'
import type { InsightEmitter } from '../insights/index.ts'
import type { JobEmitter } from '../jobs/index.ts'
import type { LedgerEmitter } from '../ledger/index.ts'
import type { LockEmitter } from '../locks/index.ts'
import type { MarketEmitter } from '../market/index.ts'
import type { TickEmitter } from '../ticks/index.ts'

/** Whatever of these a worker has. */
export interface Emitters {
  readonly bus?: BusEmitter
  readonly locks?: LockEmitter
  readonly cache?: CacheEmitter
  readonly database?: DatabaseEmitter
  readonly jobs?: JobEmitter
  readonly cutover?: CutoverEmitter
  readonly market?: MarketEmitter
  readonly detector?: DetectorEmitter
  readonly arbitrage?: ArbitrageEmitter
  readonly ledger?: LedgerEmitter
  readonly funding?: FundingEmitter
  readonly insights?: InsightEmitter
  readonly candles?: CandleEmitter
  readonly ticks?: TickEmitter
  readonly projections?: ProjectionEmitter
}
