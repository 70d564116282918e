// Arbitrage signals: what the open opportunities of a symbol say together. A fold over `arbitrage.opportunities`.
import type { Entry, FoldOptions, FoldOutput } from '../bus/index.ts'
import { type Opportunity, opportunities } from '../catalog/index.ts'
import { announce, type Said } from './announce.ts'
import { assessArbitrage } from './score.ts'

/** Prices after fees. */
interface Open {
  readonly symbol: string
  readonly simulated: boolean
  readonly buyVenue: string
  readonly sellVenue: string
  readonly cost: number
  readonly proceeds: number
  readonly openedAt: number
}

/** All of it is JSON. */
export interface ArbitrageState {
  /** By opportunity. */
  readonly open: Record<string, Open>
  readonly said: Said
}

/** An opportunity whose end was never told (its venue left the configuration) is forgotten then. */
const FORGET_MS = 30 * 60_000

export function arbitrageSignals(): FoldOptions<Opportunity, ArbitrageState> {
  return {
    stream: opportunities,
    group: 'signals',
    start: () => ({ open: {}, said: {} }),
    apply: applyEntry,
    save: (state) => JSON.stringify(state),
    load: (saved) => JSON.parse(saved) as ArbitrageState,
  }
}

function applyEntry({ open, said }: ArbitrageState, entry: Entry<Opportunity>): FoldOutput {
  const told = entry.data
  for (const [id, { openedAt }] of Object.entries(open))
    if (entry.time - openedAt > FORGET_MS) delete open[id]
  if (told.phase === 'closed') {
    delete open[told.id]
    return { events: [] }
  }
  open[told.id] = {
    symbol: told.symbol,
    simulated: told.simulated,
    buyVenue: told.buyVenue,
    sellVenue: told.sellVenue,
    cost: told.buyPrice * (1 + told.buyFeeBps / 10_000),
    proceeds: told.sellPrice * (1 - told.sellFeeBps / 10_000),
    openedAt: entry.time,
  }
  const together = Object.values(open).filter(
    ({ symbol, simulated }) => symbol === told.symbol && simulated === told.simulated,
  )
  const output = announce(said, {
    kind: 'arbitrage',
    symbol: told.symbol,
    // One buys where it is cheap; the other leg is the same advice.
    action: 'buy',
    indicators: ['spread'],
    venues: [...new Set(together.flatMap(({ buyVenue, sellVenue }) => [buyVenue, sellVenue]))],
    price: told.buyPrice,
    assessment: assessArbitrage(averageProfitPct(together), together.length),
    simulated: told.simulated,
    time: entry.time,
    causedBy: entry.id,
  })
  return output ?? { events: [] }
}

/** (mean proceeds − mean cost) / mean cost, percent. */
export function averageProfitPct(together: readonly Pick<Open, 'cost' | 'proceeds'>[]): number {
  const cost = together.reduce((sum, o) => sum + o.cost, 0)
  const proceeds = together.reduce((sum, o) => sum + o.proceeds, 0)
  return ((proceeds - cost) / cost) * 100
}
