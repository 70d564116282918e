// Before a command uses the stores of a feature as a worker does.
import type { FeatureName } from '../catalog/index.ts'
import { migrate } from '../db/index.ts'
import { beginFeature, type Platform } from '../platform.ts'

/** Migrates as well. Rejects with CUTOVER_REFUSED where a setting goes round the phase. */
export async function beginFeatures(platform: Platform, ...features: readonly FeatureName[]): Promise<void> {
  await migrate(platform.databaseOptions)
  for (const feature of features) await beginFeature(platform, feature)
}
