// Both stores of each feature, opened for the commands that copy and compare.
import { join } from 'node:path'
import type { Stream } from '../bus/index.ts'
import { candleStores, openCsvCandles, openSqlCandles } from '../candles/index.ts'
import { candlesChanged, FEATURE_NAMES, FEATURES, type FeatureName, marketQuotes } from '../catalog/index.ts'
import type { FeatureStores, Side } from '../cutover/index.ts'
import { SluiceError } from '../kernel/index.ts'
import type { Platform } from '../platform.ts'
import { openTickBackend, spilledFiles, tickStores } from '../ticks/index.ts'
import { untilDrained, waitWhile } from './cutover-drained.ts'
import type { Terminal } from './terminal.ts'

/** Throws USAGE for a name that no feature has. */
export function featureNamed(name: string): FeatureName {
  const feature = FEATURE_NAMES.find((one) => one === name)
  if (feature) return feature
  const message = `There is no feature ${JSON.stringify(name)}; allowed: ${FEATURE_NAMES.join(', ')}.`
  throw new SluiceError('USAGE', message, { name })
}

export const storeName = (feature: FeatureName, side: Side): string => FEATURES[feature][side]

type Open = (
  platform: Platform,
  terminal: Terminal,
) => { stores: FeatureStores; close: () => Promise<unknown> }

/** Opens both, closes them whatever happens. */
export async function withStores<T>(
  feature: FeatureName,
  platform: Platform,
  terminal: Terminal,
  work: (stores: FeatureStores) => Promise<T>,
): Promise<T> {
  const { stores, close } = OPEN[feature](platform, terminal)
  try {
    return await work(stores)
  } finally {
    await close()
  }
}

const OPEN: Readonly<Record<FeatureName, Open>> = {
  ticks({ bus, clock, config }, terminal) {
    const legacy = openTickBackend('json', { config, clock })
    const current = openTickBackend('sqlite', { config, clock })
    const stream = marketQuotes as Stream<unknown>
    async function drained(side: Side, signal: AbortSignal): Promise<void> {
      const wait = { clock, terminal, signal }
      if (side === 'legacy') return untilDrained(bus, stream, 'ticks-json', wait)
      await untilDrained(bus, stream, 'ticks-sqlite', wait)
      await waitWhile(wait, () => {
        const [file] = spilledFiles(config.TICKS_DIR)
        return file && `${file} is not stored yet; a worker of ticks does that, unless the file is damaged`
      })
    }
    const stores = tickStores({ legacy, current, drained }) as unknown as FeatureStores
    return { stores, close: () => Promise.all([legacy.close(), current.close()]) }
  },
  candles({ bus, database, clock, config }, terminal) {
    const legacy = openCsvCandles({ dir: join(config.DATA_DIR, 'candles'), clock })
    const current = openSqlCandles({ database, clock })
    // The database has everything before a writer of candles acknowledges; the files follow it.
    async function drained(side: Side, signal: AbortSignal): Promise<void> {
      const stream = candlesChanged as Stream<unknown>
      if (side === 'legacy') await untilDrained(bus, stream, 'csv', { clock, terminal, signal })
    }
    const ports = { database, clock, legacy, current, drained }
    const stores = candleStores(ports) as unknown as FeatureStores
    return { stores, close: () => legacy.close() }
  },
}
