// What moves from a store to another under the cut-over engine, and the channel that tells of its changes.

interface Feature {
  readonly about: string
  /** The store that it comes from, and the one that it goes to. */
  readonly legacy: string
  readonly current: string
  /** The new one is written in every phase: the former one follows it. */
  readonly currentLeads: boolean
}

export const FEATURES = {
  ticks: { about: 'ticks on disk', legacy: 'JSON files', current: 'SQLite files', currentLeads: false },
  candles: {
    about: 'candles of all sources and intervals',
    ...{ legacy: 'CSV files', current: 'SQL tables', currentLeads: true },
  },
} as const satisfies Record<string, Feature>

export type FeatureName = keyof typeof FEATURES

export const FEATURE_NAMES = Object.keys(FEATURES) as FeatureName[]

/** Says that a phase has changed, and nothing else: who hears it asks the database. */
export const CUTOVER_CHANGES = 'cutover:changes'
