// GET /api/live: server-sent events for the page. One poll for all pages, one text written to all; a page that does
// not read is dropped instead of being remembered.
import type { ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { aborted, type Clock, type Logger, SluiceError, type Task } from '../kernel/index.ts'
import type { Questions } from './answers.ts'
import { withoutCounters } from './api.ts'
import { ANSWER_WITHIN_MS, type Asked, within } from './ask.ts'
import { refusalOf } from './refusals.ts'

export interface LiveOptions {
  readonly everyMs: number
  readonly watchersMax: number
  /** A watcher with more than this unread is dropped, bytes. */
  readonly unreadBytesMax: number
}

export const LIVE_DEFAULTS: LiveOptions = { everyMs: 1_000, watchersMax: 100, unreadBytesMax: 1_000_000 }
/** How long the lists are that the page shows. */
export const PAGE_LIMITS = { rows: 25, points: 240 } as const

export interface Live {
  /** Polls while anyone watches. At the abort every watcher is told goodbye. */
  readonly task: Task
  readonly watchers: () => number
}

export function live(
  server: FastifyInstance,
  questions: Questions,
  asked: Asked,
  clock: Clock,
  log: Logger,
  options: LiveOptions,
): Live {
  const watchers = new Set<ServerResponse>()
  let last: string | undefined
  let wake = new AbortController()

  server.get('/api/live', { exposeHeadRoute: false }, async (request, reply) => {
    if (watchers.size >= options.watchersMax) {
      throw new SluiceError(
        'WATCHERS_TOO_MANY',
        `${watchers.size} pages watch; allowed: ${options.watchersMax}.`,
      )
    }
    reply.hijack()
    const response = reply.raw
    response.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    })
    response.write('retry: 2000\n\n')
    if (last !== undefined) response.write(last)
    watchers.add(response)
    request.raw.once('close', () => watchers.delete(response))
    wake.abort()
  })

  const tell = (text: string) => {
    last = text
    for (const watcher of watchers) {
      if (watcher.writableLength > options.unreadBytesMax) {
        watchers.delete(watcher)
        watcher.destroy()
        log.warn({ unreadBytes: watcher.writableLength }, 'a page that does not read was dropped')
      } else watcher.write(text)
    }
  }
  const task: Task = async (signal) => {
    while (!signal.aborted) {
      if (watchers.size > 0) {
        const state = await Promise.race([stateOf(questions, asked, clock), aborted(signal)])
        if (state) tell(eventOf('state', state))
      } else last = undefined
      // Woken by the first watcher, so that nothing is asked while nobody looks.
      wake = new AbortController()
      const pauseMs = watchers.size > 0 ? options.everyMs : 3_600_000
      await clock.sleep(pauseMs, AbortSignal.any(watchers.size > 0 ? [signal] : [signal, wake.signal]))
    }
    for (const watcher of watchers) watcher.end(eventOf('closing', {}))
  }
  return { task, watchers: () => watchers.size }
}

const eventOf = (name: string, data: unknown) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`

/** Everything on the page. A part that cannot be had is left out and named, the others are shown. */
async function stateOf(questions: Questions, asked: Asked, clock: Clock): Promise<Record<string, unknown>> {
  const soon = <T>(what: string, ask: () => Promise<T>) => within(clock, ANSWER_WITHIN_MS, what, ask)
  const parts: Record<string, Promise<unknown>> = {
    status: asked.status(),
    streams: asked.summaries(),
    workers: asked.workers().then((workers) => workers.map(withoutCounters)),
    opportunities: soon('The database', () => questions.opportunities(PAGE_LIMITS.rows)),
    decisions: soon('The database', () => questions.decisions(PAGE_LIMITS.rows * 2)),
    trades: soon('The ledger', () => questions.trades(PAGE_LIMITS.rows)),
    positions: soon('The ledger', questions.positions),
    equity: soon('The ledger', () => questions.equity(PAGE_LIMITS.points)),
  }
  const state: Record<string, unknown> = { time: clock.now(), about: questions.about }
  const failures: Record<string, unknown> = {}
  await Promise.all(
    Object.entries(parts).map(async ([name, part]) => {
      try {
        state[name] = await part
      } catch (error) {
        failures[name] = refusalOf(error).error
      }
    }),
  )
  return { ...state, failures }
}
