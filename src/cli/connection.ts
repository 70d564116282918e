// What a command opens to talk to the running system, closed again whatever happens.
import type { Platform } from '../platform.ts'
import { runningConfig } from './running-config.ts'

/** Throws REDIS_UNAVAILABLE when nothing runs where the settings say. */
export async function withPlatform<T>(work: (platform: Platform) => Promise<T>): Promise<T> {
  const config = runningConfig()
  // Loaded only here: help and usage errors need none of it.
  const { openPlatform } = await import('../platform.ts')
  // A command says what fails by its own error; the log of the mechanisms would only repeat it.
  const platform = openPlatform({ ...config, LOG_LEVEL: 'silent' }, { name: 'cli' })
  try {
    return await work(platform)
  } finally {
    await platform.close()
  }
}
