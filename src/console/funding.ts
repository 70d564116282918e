// GET: funding rates and contexts, at the addresses of the system that this one replaces. Rates and prices are decimal
// text, as exact as they were said.
import type { FastifyInstance, RouteShorthandOptions } from 'fastify'
import { z } from 'zod'
import { symbolName, venueName } from '../catalog/index.ts'
import type { Clock } from '../kernel/index.ts'
import type { Questions } from './answers.ts'
import { ANSWER_WITHIN_MS, within } from './ask.ts'
import { limitOf } from './limit.ts'
import { parameters } from './parameters.ts'

const ofVenue = z.strictObject({ exchange: venueName })
const symbol = z
  .string()
  .transform((text) => text.toUpperCase().replace(/[-_]/, '/'))
  .pipe(symbolName)
const ofSymbol = z.strictObject({ exchange: venueName, symbol })
const pageOf = z.strictObject({
  limit: z.string().optional(),
  before: z
    .string()
    .regex(/^\d{10,15}$/, 'ms since 1970: the `next` of a page')
    .transform(Number)
    .optional(),
})

const RATES = '/api/v1/arbitrage/funding-rates'
const CONTEXTS = '/api/v1/market/contexts'

export function funding(
  server: FastifyInstance,
  questions: Pick<Questions, 'fundingRates' | 'fundingHistory' | 'contexts'>,
  { clock, throttle }: { readonly clock: Clock; readonly throttle: RouteShorthandOptions },
): void {
  const soon = <T>(ask: () => Promise<T>) => within(clock, ANSWER_WITHIN_MS, 'The database', ask)
  const latest = async (venue?: string) => ({
    fundingRates: await soon(() => questions.fundingRates(venue)),
  })
  const contexts = async (venue?: string) => ({ contexts: await soon(() => questions.contexts(venue)) })
  server.get(RATES, throttle, () => latest())
  server.get(`${RATES}/:exchange`, throttle, ({ params }) => latest(parameters(ofVenue, params).exchange))
  server.get(`${RATES}/:exchange/:symbol`, throttle, async ({ params, query }) => {
    const { exchange: venue, symbol } = parameters(ofSymbol, params)
    const { before } = parameters(pageOf, query)
    const limit = limitOf(query)
    const rows = await soon(() => questions.fundingHistory({ venue, symbol, before, limit }))
    const next = rows.length === limit ? (rows.at(-1)?.fundingTime ?? null) : null
    return { venue, symbol, next, fundingRates: rows }
  })
  server.get(CONTEXTS, throttle, () => contexts())
  server.get(`${CONTEXTS}/:exchange`, throttle, ({ params }) =>
    contexts(parameters(ofVenue, params).exchange),
  )
}
