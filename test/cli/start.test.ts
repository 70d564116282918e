// `npm start` as a person meets it: from nothing to running, and back to nothing.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { entryOf, PROJECTION_FAMILIES } from '../../src/catalog/index.ts'
import { freePort } from '../../src/cli/ports.ts'
import { closeRedis, connectRedis, ready } from '../../src/redis/index.ts'
import { type Running, run, sluice } from '../support/command.ts'
import { eventually } from '../support/eventually.ts'
import { aliveOf, descendantsOf } from '../support/processes.ts'

let dataDir: string
let env: Record<string, string>
const started: Running[] = []

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'sluice-start-'))
  env = { DATA_DIR: dataDir, PORT: String(await freePort()), STATUS_EVERY_MS: '500', DRAIN_MS: '3000' }
})

afterEach(async () => {
  for (const { child, ended } of started.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
    await ended
  }
  rmSync(dataDir, { recursive: true, force: true })
})

const npmStart = (): Running => {
  const running = run('node', ['bin/setup.mjs', 'start'], { env })
  started.push(running)
  return running
}

/** Every process of a running start: its descendants and the ones it has put into groups of their own. */
const family = (running: Running) => descendantsOf(running.child.pid!).map(({ pid }) => pid)
const noneOf = (pids: readonly number[]) =>
  eventually(() => aliveOf(pids).length === 0, { timeoutMs: 60_000, what: 'the end of every process' })
const redisPort = () =>
  (JSON.parse(readFileSync(join(dataDir, 'redis/server.json'), 'utf8')) as { port: number }).port

async function keysOfSystem(): Promise<string[]> {
  const client = connectRedis(`redis://127.0.0.1:${redisPort()}`, 'writer')
  await ready(client)
  const keys = await client.keys('*')
  await closeRedis(client)
  return keys
}

/** Keys of the running system that the catalog does not know, or knows as another type. */
async function undeclared(): Promise<string[]> {
  const client = connectRedis(`redis://127.0.0.1:${redisPort()}`, 'writer')
  await ready(client)
  const keys = await client.keys('*')
  const types = await Promise.all(keys.map((key) => client.type(key)))
  await closeRedis(client)
  expect(keys.length).toBeGreaterThan(50)
  return keys.filter((key, i) => {
    // Gone in the meantime.
    if (types[i] === 'none') return false
    const declared = entryOf(key)?.type
    return declared !== 'any' && declared !== (types[i] === 'zset' ? 'sorted set' : types[i])
  })
}

const failuresOf = (running: Running) =>
  running
    .said()
    .split('\n')
    .filter((line) => /FATAL|ended by itself/.test(line))

// Eleven processes start and stop two or three times: seconds on a free machine, minutes on a busy one.
describe('npm start', { timeout: 300_000 }, () => {
  it('brings everything up, refuses a second one, answers the other commands, and leaves nothing behind but data that is used again', async () => {
    env['PROJECTIONS'] = PROJECTION_FAMILIES.join()
    const first = npmStart()
    await first.says(/gateway .*quotes [1-9]/, 120_000)
    const [, address] = await first.says(/Console +(http:\S+)/)
    expect((await fetch(`${address}/health`)).status).toBe(200)

    const refused = await sluice(['start'], { env }).ended
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(/^sluice: Sluice already runs here .*\[ALREADY_RUNNING\]\n$/)

    const streams = await sluice(['streams', '--json'], { env }).ended
    const lines = streams.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(
      lines.find(({ stream, group }) => stream === 'market.quotes' && group !== '').published,
    ).toBeGreaterThan(0)
    await eventually(async () => (await keysOfSystem()).includes('nof0:crypto_prices'))
    expect(await undeclared()).toEqual([])

    const pids = family(first)
    const port = redisPort()
    expect(pids.length).toBeGreaterThan(9)
    first.child.kill('SIGINT')
    const { code } = await first.ended
    expect(code).toBe(0)
    await noneOf(pids)
    expect(first.said()).toContain('the data stays in')
    expect(failuresOf(first)).toEqual([])

    const second = npmStart()
    await second.says(/Database .*up to date/)
    await second.says(/detector +detector started/)
    expect(redisPort()).toBe(port)

    const detector = descendantsOf(second.child.pid!).find(({ command }) =>
      command.endsWith('worker detector'),
    )!
    process.kill(detector.pid, 'SIGKILL')
    await second.says(/detector ended by itself; starting it again/)
    expect(await second.says(/detector started[\s\S]*detector started/)).toBeTruthy()
    expect(failuresOf(second)).toHaveLength(1)
  })

  it('killed with -9, as a whole or its supervisor only, leaves nothing for long, and the next one recovers', async () => {
    const first = npmStart()
    await first.says(/executor +executor started/)
    const pids = family(first)
    first.child.kill('SIGKILL')
    await noneOf(pids)

    const second = npmStart()
    await second.says(/gateway .*quotes [1-9]/, 120_000)
    const supervised = family(second)
    const { pid } = JSON.parse(readFileSync(join(dataDir, 'running.json'), 'utf8')) as { pid: number }
    process.kill(pid, 'SIGKILL')
    const third = npmStart()
    await third.says(/without a goodbye/)
    await third.says(/executor +executor started/)
    await noneOf(supervised)
    expect((await sluice(['streams'], { env }).ended).code).toBe(0)
  })

  it('says which port is taken, by whom, and what to do', async () => {
    const server = createServer().listen(Number(env['PORT']), '127.0.0.1')
    try {
      const { code, stderr } = await sluice(['start'], { env }).ended
      expect(code).toBe(1)
      expect(stderr).toMatch(
        new RegExp(`Port ${env['PORT']} is taken by .* \\(pid ${process.pid}\\).*PORT=\\d+ npm start`),
      )
      expect(stderr).not.toContain('    at ')
    } finally {
      server.close()
    }
  })

  it('says which Redis does not answer', async () => {
    const { code, stderr } = await sluice(['start'], { env: { ...env, REDIS_URL: 'redis://127.0.0.1:1' } })
      .ended
    expect(code).toBe(1)
    expect(stderr).toMatch(/127\.0\.0\.1:1.*\[REDIS_UNAVAILABLE\]\n$/)
  })
})
