// How much a signal is worth, by the formulas of the reference system's aggregator and of its stored score.
import type { Signal } from '../catalog/index.ts'

type Strength = Signal['strength']

export interface Assessment {
  readonly confidence: number
  /** Percent. */
  readonly profitPct: number
  readonly risk: number
  readonly strength: Strength
}

const EXTRA_MAX = 0.2

/** Of indicators that agree: their mean confidence, and 0.1 for each beyond the first (at most 0.2). */
export function assessTechnical(confidences: readonly number[]): Assessment {
  const n = confidences.length
  const mean = confidences.reduce((sum, c) => sum + c, 0) / n
  const confidence = Math.min(1, mean + Math.min(EXTRA_MAX, 0.1 * (n - 1)))
  return {
    confidence,
    profitPct: 2 * (1 + 0.3 * (n - 1)),
    risk: Math.max(0.1, 0.2 - 0.03 * (n - 1)),
    strength: strengthOf(confidence, 0.8, 0.5),
  }
}

/**
 * Of open opportunities of one symbol, by the average profit in percent after fees. Above 5 % it is more likely an
 * error than a market, so confidence falls to 0.5.
 */
export function assessArbitrage(profitPct: number, opportunities: number): Assessment {
  const base = profitPct > 5 ? 0.5 : profitPct > 0.5 ? 0.8 : 0.7
  const confidence = Math.min(1, base + Math.min(EXTRA_MAX, 0.05 * (opportunities - 1)))
  return { confidence, profitPct, risk: 0.08, strength: strengthOf(confidence * profitPct, 1, 0.4) }
}

const strengthOf = (value: number, strong: number, medium: number): Strength =>
  value > strong ? 'strong' : value > medium ? 'medium' : 'weak'

const STRENGTH_FACTOR: Record<Strength, number> = { strong: 1.3, medium: 1, weak: 0.7 }

/** 0 to 100: (confidence × 40 + min(profit × 3, 30) − risk × 20), × 1.2 for arbitrage, × strength. */
export function scoreOf(kind: Signal['kind'], { confidence, profitPct, risk, strength }: Assessment): number {
  const base = confidence * 40 + Math.min(profitPct * 3, 30) - risk * 20
  const score = base * (kind === 'arbitrage' ? 1.2 : 1) * STRENGTH_FACTOR[strength]
  return Math.min(100, Math.max(0, score))
}
