// POST /api/*: what a person with the token may change. Each change is logged with who asked for it and what came of
// it. The guard has checked the token and the type of the body before any of these is reached.
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { readSeekTarget } from '../bus/index.ts'
import { STREAMS } from '../catalog/index.ts'
import { type Clock, type Logger, messageOf, SluiceError } from '../kernel/index.ts'
import type { Changes } from './answers.ts'
import { within } from './ask.ts'
import { parameters } from './parameters.ts'

// Counting a full stream takes longer than an answer that a page waits for.
const CHANGE_WITHIN_MS = 30_000
// Twice the largest payload of a stream: a person's JSON may be spaced out.
const EDIT_BYTES_MAX = 2_000_000

const stream = z.enum(STREAMS.map(({ name }) => name) as [string, ...string[]])
const letter = z.strictObject({
  stream,
  entry: z.string().regex(/^\d{1,4}\/\d{1,18}-\d{1,18}$/, 'partition/id, as the list shows it'),
})
const editedLetter = letter.extend({ data: z.json() })
const group = z.strictObject({ stream, group: z.string().min(1).max(200) })
const groupFrom = group.extend({ from: z.union([z.string().max(60), z.int().min(0)]) })

export interface Route<T> {
  readonly path: string
  readonly body: z.ZodType<T>
  readonly bodyLimit?: number
  readonly change: (asked: T) => Promise<object>
}

/** The only paths that are answered to POST. */
export const CHANGE_PATHS: ReadonlySet<string> = new Set([
  '/api/dead-letters/replay',
  '/api/dead-letters/edit',
  '/api/dead-letters/drop',
  '/api/groups/pause',
  '/api/groups/resume',
  '/api/groups/replay',
  ...['compress', 'verify', 'restore', 'rotate'].map((verb) => `/admin/history/${verb}`),
])

export type Post = <T>(route: Route<T>) => void

/** How each change is answered and logged. */
export function openPost(server: FastifyInstance, clock: Clock, log: Logger): Post {
  return ({ path, body, bodyLimit, change }) =>
    server.post(path, bodyLimit === undefined ? {} : { bodyLimit }, async (request) => {
      const asked = parameters(body, request.body)
      // The payload of an edit may be anything, and long.
      const { data: _data, ...what } = asked as Record<string, unknown>
      const facts = { who: request.ip, change: path, ...what }
      try {
        const answer = await within(clock, CHANGE_WITHIN_MS, 'The change', () => change(asked))
        log.info(facts, 'changed through the console')
        return answer
      } catch (error) {
        log.warn({ ...facts, reason: messageOf(error) }, 'a change through the console failed')
        throw error
      }
    })
}

export function changes(post: Post, by: Changes): void {
  const demand = async (name: string, entry: string, found: Promise<boolean>) => {
    if (!(await found)) throw unknownLetter(name, entry)
  }
  post({
    path: '/api/dead-letters/replay',
    body: letter,
    async change({ stream, entry }) {
      await demand(stream, entry, by.replayDeadLetter(stream, entry))
      return { stream, replayed: entry }
    },
  })
  post({
    path: '/api/dead-letters/edit',
    body: editedLetter,
    bodyLimit: EDIT_BYTES_MAX,
    async change({ stream, entry, data }) {
      await demand(stream, entry, by.replayDeadLetter(stream, entry, JSON.stringify(data)))
      return { stream, edited: entry }
    },
  })
  post({
    path: '/api/dead-letters/drop',
    body: letter,
    async change({ stream, entry }) {
      await demand(stream, entry, by.dropDeadLetter(stream, entry))
      return { stream, dropped: entry }
    },
  })
  groupChanges(post, by)
}

function groupChanges(post: Post, by: Changes): void {
  post({
    path: '/api/groups/pause',
    body: group,
    change: async ({ stream, group }) => ({
      ...{ stream, group, paused: true },
      changed: await by.pauseGroup(stream, group),
    }),
  })
  post({
    path: '/api/groups/resume',
    body: group,
    change: async ({ stream, group }) => ({
      ...{ stream, group, paused: false },
      changed: await by.resumeGroup(stream, group),
    }),
  })
  post({
    path: '/api/groups/replay',
    body: groupFrom,
    async change({ stream, group, from }) {
      const places = await by.seekGroup(stream, group, readSeekTarget(String(from)))
      return { stream, group, places }
    },
  })
}

export const unknownLetter = (stream: string, entry: string) =>
  new SluiceError('DEAD_LETTER_UNKNOWN', `${stream} has no dead letter ${entry}.`, { stream, entry })
