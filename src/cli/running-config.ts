// The configuration of a command that talks to the running system: where no REDIS_URL is set, it is the server that
// `sluice start` runs for this DATA_DIR, on whatever port that got.
import { type Config, type Environment, processEnvironment, readConfig } from '../kernel/index.ts'
import { runningIn } from './claim-folder.ts'

export function runningConfig(environment: Environment = processEnvironment()): Config {
  const config = readConfig(environment)
  if ((environment['REDIS_URL'] ?? '').trim() !== '') return config
  const running = runningIn(config.DATA_DIR)
  return running?.redisUrl === undefined
    ? config
    : readConfig({ ...environment, REDIS_URL: running.redisUrl })
}
