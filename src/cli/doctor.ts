// `sluice doctor`: what must hold for Sluice to run well here, each with what to do when it does not.
import {
  type Config,
  messageOf,
  processEnvironment,
  splitRedisUrls,
  systemClock,
  withoutPassword,
} from '../kernel/index.ts'
import { runningIn } from './claim-folder.ts'
import { databaseStatus, databaseWhere } from './database.ts'
import { inspectRedis } from './inspect-redis.ts'
import { describeRedis, judgeRedis } from './judge-redis.ts'
import { demandPort } from './ports.ts'
import { findProgram, installCommand } from './redis-program.ts'
import { runningConfig } from './running-config.ts'
import type { Terminal } from './terminal.ts'

export interface Finding {
  readonly check: string
  readonly verdict: 'ok' | 'warn' | 'fail'
  readonly message: string
}

/** Clocks further apart than this make quotes look old or ahead, ms. */
const SKEW_WARN_MS = 250

/** Answers 1 when something fails. Throws CONFIG_INVALID. */
export async function doctor(terminal: Terminal): Promise<0 | 1> {
  const config = runningConfig()
  const findings = [
    ok('node', `Node ${process.versions.node}`),
    ...(await checkRedis(config)),
    ...(await checkOtherServers(config)),
    await checkDatabase(config),
    await checkPort(config),
  ]
  for (const finding of findings) {
    terminal.result(finding, `${finding.verdict.padEnd(4)}  ${finding.check.padEnd(8)}  ${finding.message}`)
  }
  return findings.some(({ verdict }) => verdict === 'fail') ? 1 : 0
}

const finding =
  (verdict: Finding['verdict']) =>
  (check: string, message: string): Finding => ({ check, verdict, message })
const ok = finding('ok')
const warn = finding('warn')
const fail = finding('fail')

async function checkRedis(config: Config): Promise<Finding[]> {
  const environment = processEnvironment()
  const url = config.REDIS_URL
  try {
    const before = systemClock.now()
    const facts = await inspectRedis(url, 3_000)
    const after = systemClock.now()
    const warnings = judgeRedis(url, facts).map((message) => warn('redis', message))
    const about = `${withoutPassword(url)} is ${describeRedis(facts)}`
    const clocks = facts.nodes.map(({ timeMs }) => checkClock(timeMs, before, after))
    const clock = clocks.find(({ verdict }) => verdict !== 'ok') ?? clocks[0]!
    return [ok('redis', about), ...warnings, clock]
  } catch (error) {
    // `sluice start` brings its own server: then nothing is wrong yet.
    if ((environment['REDIS_URL'] ?? '') === '') {
      if (runningIn(config.DATA_DIR)) return [fail('redis', messageOf(error))]
      const program = findProgram(environment)
      return program
        ? [ok('redis', `no server runs; sluice start runs its own with ${program}`)]
        : [fail('redis', `no server and no redis-server program: ${installCommand(environment)}`)]
    }
    return [fail('redis', messageOf(error))]
  }
}

/** What locks and cached answers hold may be forgotten, so AOF is no question there. */
function checkOtherServers({ REDIS_LOCK_URLS, REDIS_CACHE_URL }: Config): Promise<Finding[]> {
  const locks = REDIS_LOCK_URLS === '' ? [] : splitRedisUrls(REDIS_LOCK_URLS)
  const cache = REDIS_CACHE_URL === '' ? [] : [REDIS_CACHE_URL]
  const check = (name: 'locks' | 'cache', judge: typeof judgeRedis | undefined) => async (url: string) => {
    try {
      const facts = await inspectRedis(url, 3_000)
      judge?.(url, facts)
      return ok(name, `${withoutPassword(url)} is ${describeRedis(facts)}`)
    } catch (error) {
      return fail(name, messageOf(error))
    }
  }
  return Promise.all([...locks.map(check('locks', judgeRedis)), ...cache.map(check('cache', undefined))])
}

/** The server's clock lies between the times before and after the question, or it is off by the rest. */
export function checkClock(serverMs: number, beforeMs: number, afterMs: number): Finding {
  const offMs = Math.round(serverMs < beforeMs ? serverMs - beforeMs : Math.max(0, serverMs - afterMs))
  if (Math.abs(offMs) <= SKEW_WARN_MS) return ok('clock', `this machine and Redis agree (${offMs} ms apart)`)
  return warn('clock', `Redis is ${offMs} ms off this machine: set both by NTP, or quotes look old or ahead`)
}

async function checkDatabase(config: Config): Promise<Finding> {
  const where = `${config.DATABASE_DRIVER} ${databaseWhere(config)}`
  try {
    const { applied, pending, problem } = await databaseStatus(config)
    if (problem) return fail('database', `${where}: ${problem}`)
    if (pending.length > 0)
      return warn('database', `${where}: ${pending.length} pending; run sluice db migrate`)
    return ok('database', `${where}, ${applied.length} migrations applied`)
  } catch (error) {
    return fail('database', messageOf(error))
  }
}

async function checkPort(config: Config): Promise<Finding> {
  const running = runningIn(config.DATA_DIR)
  if (running)
    return ok('port', `Sluice runs here (pid ${running.pid}${running.console ? `, ${running.console}` : ''})`)
  try {
    await demandPort(config.PORT, config.HOST)
    return ok('port', `${config.HOST}:${config.PORT} is free`)
  } catch (error) {
    return fail('port', messageOf(error))
  }
}
