// A console on a free port over questions that a test answers, with the job queues of a real Redis.
import { request } from 'node:http'
import { STREAMS } from '../../src/catalog/index.ts'
import {
  type Changes,
  type ConsoleOptions,
  type History,
  type HistoryFiles,
  openConsole,
  type Questions,
} from '../../src/console/index.ts'
import type { Jobs, JobTable } from '../../src/jobs/index.ts'
import { openLog, systemClock } from '../../src/kernel/index.ts'
import { freePort } from '../support/redis.ts'

const ok = { ok: true, detail: 'answers' }
const none = async () => []

export const quietQuestions: Questions = {
  about: { version: '0.0.0', feed: 'none', database: 'sqlite', simulated: false },
  ready: async () => ({ redis: ok, database: ok, migrations: ok }),
  streams: async () =>
    STREAMS.map((stream) => ({
      stream: stream.name,
      deadLetters: 0,
      members: { readers: ['one', 'two'] },
      partitions: [0, 1].map((partition) => ({
        partition,
        length: 5,
        lastSequence: 100,
        groups: [
          { group: 'readers', pending: 2, lag: 3, oldestMs: 1_500, owner: 'one', epoch: 1, paused: false },
        ],
      })),
    })),
  workers: none,
  arbitrageTotals: async () => ({
    opportunities: 12,
    open: 3,
    pending: 0,
    executed: 9,
    refused: 3,
    refusals: { too_old: 3 },
  }),
  ledgerTotals: async () => ({ trades: 9, fills: 18, profit: { USDT: '41.220000000000000001' } }),
  opportunities: none,
  decisions: none,
  trades: none,
  positions: none,
  equity: none,
  fundingRates: none,
  fundingHistory: none,
  contexts: none,
  messages: none,
  cycle: async () => null,
  scores: none,
  levels: none,
  deadLetters: none,
  deadLetter: async () => undefined,
}

const refuses = async () => {
  throw new Error('nothing may be changed here')
}

const quietChanges: Changes = {
  replayDeadLetter: refuses,
  dropDeadLetter: refuses,
  pauseGroup: refuses,
  resumeGroup: refuses,
  seekGroup: refuses,
}

export const quietHistory: History = {
  ticks: none,
  recentTicks: none,
  tickSeries: none,
  bars: none,
  tickers: async () => ({ contentType: 'application/json', headers: {}, body: '{}', rows: 0 }),
}

export const quietFiles: HistoryFiles = {
  about: async () => ({ backend: 'sqlite', phase: null }),
  list: none,
  ...{ compress: refuses, verify: refuses, restore: refuses, rotate: refuses },
}

export interface RunningConsole {
  readonly url: string
  readonly port: number
  get(path: string, init?: RequestInit): Promise<Response>
  stop(): Promise<void>
}

export async function startConsole(
  jobs: Jobs<JobTable>,
  answers: Partial<Questions> = {},
  more: Partial<ConsoleOptions> = {},
): Promise<RunningConsole> {
  const stop = new AbortController()
  const port = more.port ?? (await freePort())
  let running: Promise<void> = Promise.resolve()
  const url = await new Promise<string>((resolve, reject) => {
    const task = openConsole({
      host: '127.0.0.1',
      port,
      questions: { ...quietQuestions, ...answers },
      changes: quietChanges,
      history: quietHistory,
      files: quietFiles,
      queues: jobs.queues,
      clock: systemClock,
      log: openLog({ level: 'silent', name: 'test' }),
      onListening: resolve,
      ...more,
    })
    running = task(stop.signal)
    running.catch(reject)
  })
  return {
    url,
    port,
    get: (path, init) => fetch(new URL(path, url), { redirect: 'manual', ...init }),
    async stop() {
      stop.abort()
      await running
    },
  }
}

/** A request exactly as written: fetch would normalise the path and refuse some headers. */
export function rawRequest(
  port: number,
  options: { path: string; method?: string; headers?: Record<string, string> },
): Promise<{ status: number; headers: Record<string, unknown>; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, agent: false, ...options }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        body += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
    })
    asked.on('error', reject)
    asked.end()
  })
}
