// Which Redis a start uses: the one that is set; else a server of our own; else one that runs on 6379.
import type { Config, Environment } from '../kernel/index.ts'
import { SluiceError, withoutPassword } from '../kernel/index.ts'
import { inspectRedis } from './inspect-redis.ts'
import { describeRedis, judgeRedis } from './judge-redis.ts'
import { type OwnRedis, startOwnRedis } from './own-redis.ts'
import { findProgram, installCommand, installRedis, mayInstall } from './redis-program.ts'

const STANDARD_URL = 'redis://127.0.0.1:6379'

export interface ChosenRedis {
  readonly url: string
  /** Set when the server was started here and must be stopped. */
  readonly own: OwnRedis | undefined
}

/** Throws REDIS_NOT_FOUND, REDIS_UNAVAILABLE or REDIS_UNFIT, each with what to do. */
export async function chooseRedis(
  config: Config,
  environment: Environment,
  note: (message: string) => void,
): Promise<ChosenRedis> {
  if ((environment['REDIS_URL'] ?? '').trim() !== '') return useServer(config.REDIS_URL, note)
  let program = findProgram(environment)
  if (program === undefined && mayInstall(environment)) {
    note('redis-server is not installed: installing it with apt-get (only this once)')
    if (await installRedis(environment)) program = findProgram(environment)
    else note('apt-get could not install redis-server; its messages are above')
  }
  if (program !== undefined) {
    const own = await startOwnRedis({ program, dataDir: config.DATA_DIR, graceMs: config.DRAIN_MS + 1_000 })
    const { version } = (await inspectRedis(own.url, 5_000)).nodes[0]
    note(`Redis      ${own.url}  (own server ${version}, pid ${own.pid}, data in ${config.DATA_DIR}/redis)`)
    return { url: own.url, own }
  }
  const found = await inspectRedis(STANDARD_URL, 1_000).catch(() => undefined)
  if (found) return useServer(STANDARD_URL, note)
  throw new SluiceError(
    'REDIS_NOT_FOUND',
    `No redis-server program and no server on 127.0.0.1:6379. Install it with one command, then start again: ${installCommand(environment)}`,
  )
}

async function useServer(url: string, note: (message: string) => void): Promise<ChosenRedis> {
  const facts = await inspectRedis(url, 5_000)
  for (const warning of judgeRedis(url, facts)) note(`warning: ${warning}`)
  note(`Redis      ${withoutPassword(url)}  (${describeRedis(facts)})`)
  return { url, own: undefined }
}
