// GET /api/*: what the page shows, for programs. Lists are newest first, money is decimal text.
import type { FastifyInstance } from 'fastify'
import type { DeadLetter } from '../bus/index.ts'
import { STREAMS } from '../catalog/index.ts'
import { type Clock, SluiceError } from '../kernel/index.ts'
import type { Questions } from './answers.ts'
import { ANSWER_WITHIN_MS, type Asked, within } from './ask.ts'
import { unknownLetter } from './changes.ts'
import { choiceOf, limitOf, nameOf, textOf } from './limit.ts'

const STREAM_NAMES: readonly string[] = STREAMS.map((stream) => stream.name)

export function api(server: FastifyInstance, questions: Questions, asked: Asked, clock: Clock): void {
  const soon = <T>(what: string, ask: () => Promise<T>) => within(clock, ANSWER_WITHIN_MS, what, ask)
  server.get('/api/status', () => asked.status())
  server.get('/api/streams', async () => ({ streams: await asked.summaries() }))
  server.get('/api/workers', async () => ({ workers: (await asked.workers()).map(withoutCounters) }))
  server.get('/api/positions', async () => ({
    positions: await soon('The ledger', questions.positions),
  }))
  server.get('/api/opportunities', async ({ query }) => {
    const limit = limitOf(query)
    return { opportunities: await soon('The database', () => questions.opportunities(limit)) }
  })
  server.get('/api/decisions', async ({ query }) => {
    const limit = limitOf(query)
    return { decisions: await soon('The database', () => questions.decisions(limit)) }
  })
  server.get('/api/trades', async ({ query }) => {
    const limit = limitOf(query)
    return { trades: await soon('The ledger', () => questions.trades(limit)) }
  })
  server.get('/api/equity', async ({ query }) => {
    const limit = limitOf(query)
    return { equity: await soon('The ledger', () => questions.equity(limit)) }
  })
  insightRoutes(server, questions, soon, clock)
  server.get('/api/dead-letters', async ({ query }) => {
    const limit = limitOf(query)
    const names = choiceOf(query, 'stream', STREAM_NAMES)
    const [group, before] = [textOf(query, 'group'), textOf(query, 'before')]
    if (before !== undefined && names.length > 1) {
      throw new SluiceError('REQUEST_INVALID', 'before is an entry of one stream: name the stream.')
    }
    const lists = await soon('The streams', () =>
      Promise.all(names.map((name) => questions.deadLetters(name, limit, { group, before }))),
    )
    const letters = lists.flat().map(withoutStack)
    if (names.length > 1) letters.sort((a, b) => b.time - a.time)
    return { deadLetters: letters.slice(0, limit) }
  })
  server.get('/api/dead-letters/:stream/:partition/:id', async ({ params }) => {
    const { stream = '', partition, id } = params as Record<string, string>
    const entry = `${partition}/${id}`
    if (!STREAM_NAMES.includes(stream)) throw unknownLetter(stream, entry)
    const letter = await soon('The streams', () => questions.deadLetter(stream, entry))
    if (!letter) throw unknownLetter(stream, entry)
    return withoutStack(letter)
  })
}

// A prompt may have 200,000 characters, and an answer is kept in Redis.
const MESSAGES_MAX = 100

/** What models say and decide, and what analyses know. */
function insightRoutes(
  server: FastifyInstance,
  questions: Questions,
  soon: <T>(what: string, ask: () => Promise<T>) => Promise<T>,
  clock: Clock,
): void {
  const lives = ({ endsAt }: { readonly endsAt: number }) => endsAt > clock.now()
  server.get('/api/conversations', async ({ query }) => {
    const [model, limit] = [nameOf(query, 'model'), limitOf(query, MESSAGES_MAX)]
    return { messages: await soon('The database', () => questions.messages(model, limit)) }
  })
  server.get('/api/last-decision', async ({ query }) => {
    const model = nameOf(query, 'model')
    return { decision: await soon('The database', () => questions.cycle(model)) }
  })
  server.get('/api/scores', async ({ query }) => {
    const limit = limitOf(query)
    return { scores: (await soon('The database', () => questions.scores(limit))).filter(lives) }
  })
  server.get('/api/levels', async ({ query }) => {
    const symbol = nameOf(query, 'symbol')
    return { levels: (await soon('The database', () => questions.levels(symbol))).filter(lives) }
  })
}

/** A stack names files of the machine; it is for the command line. */
const withoutStack = ({ stack: _stack, ...letter }: DeadLetter) => letter

/** The counters of a process are long, and they are in /metrics. */
export const withoutCounters = <T extends { counters: unknown }>({ counters: _counters, ...rest }: T) => rest
