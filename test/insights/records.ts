// Records of each kind, as a test needs them.
import type { InsightKind, InsightRecord, RecordOf } from '../../src/catalog/index.ts'

export const NOW = 1_790_000_000_000

export const RECORDS: { readonly [K in InsightKind]: RecordOf<K> } = {
  message: { kind: 'message', model: 'gpt-5', topic: '', role: 'user', content: 'And now?', time: NOW },
  decision: {
    ...{ kind: 'decision', model: 'gpt-5', cycle: 7, promptDigest: 'd1', trace: 'because', success: true },
    ...{ decisions: [{ symbol: 'BTC', action: 'hold' }], error: '', time: NOW },
  },
  trader: {
    ...{ kind: 'trader', trader: 't1', exchangeProvider: 'hyper', marketProvider: 'hyper' },
    ...{ allocationPct: '12.5', cooldown: { BTC: 5 }, riskGuards: { maxPositions: 3 } },
    ...{ lastDecisionAt: NOW - 5, pauseUntil: null, time: NOW },
  },
  score: { kind: 'score', symbol: 'TCS', score: 71.5, agentScores: { technical: 80 }, time: NOW },
  levels: { kind: 'levels', symbol: 'TCS', timeframe: '15m', levels: { support: [99.5] }, time: NOW },
  analysis: {
    ...{ kind: 'analysis', symbol: 'TCS', agent: 'technical', score: 80, confidence: 0.7 },
    ...{ signals: ['golden cross'], reasoning: 'trend', time: NOW },
  },
  memory: {
    kind: 'memory',
    type: 'session',
    key: 'u:1',
    value: { step: 2 },
    ttlMs: 3_600_000,
    time: NOW,
  },
  preference: { kind: 'preference', user: 'u1', key: 'risk', value: { profile: 'low' }, time: NOW },
  learning: {
    ...{ kind: 'learning', agent: 'technical', pattern: 'double bottom', accuracy: 0.61 },
    ...{ sampleSize: 40, time: NOW },
  },
}

export const KINDS = Object.keys(RECORDS) as InsightKind[]

/** The record of a kind, otherwise at a later or earlier time. */
export const at = <K extends InsightKind>(kind: K, ms: number, more: Partial<RecordOf<K>> = {}) =>
  ({ ...RECORDS[kind], time: NOW + ms, ...more }) as InsightRecord
