// Shapes of what is decided and done: signals, opportunities, executions. Money and amounts are decimal texts.
import { z } from 'zod'
import { symbolName, venueName } from './market.ts'

const decimalText = z.string().regex(/^-?\d+(\.\d+)?$/)
const timeMs = z.number().finite().positive()
/** Of what is booked: databases keep whole ms. */
const wholeMs = z.number().int().positive()
const side = z.enum(['buy', 'sell'])
export type Side = z.infer<typeof side>

/** Scored advice. Formulas: src/signals/score.ts. */
export const signal = z.object({
  kind: z.enum(['technical', 'arbitrage', 'risk', 'aggregated']),
  symbol: symbolName,
  action: z.enum(['buy', 'sell', 'hold']),
  strength: z.enum(['weak', 'medium', 'strong']),
  confidence: z.number().min(0).max(1),
  risk: z.number().min(0).max(1),
  /** 0 to 100. */
  score: z.number().min(0).max(100),
  indicators: z.array(z.string()),
  venues: z.array(venueName),
  price: z.number().positive(),
  simulated: z.boolean(),
  time: timeMs,
  expiresAt: timeMs,
})
export type Signal = z.infer<typeof signal>

/** The stream entry that a decision was computed from. */
export const source = z.object({
  venue: venueName,
  stream: z.string(),
  partition: z.number().int().min(0),
  entry: z.string(),
  eventId: z.string(),
  quoteTime: timeMs,
})
export type Source = z.infer<typeof source>

/**
 * `opened` at first sight, `closed` at last sight, nothing in between. The id is the same in both and is derived
 * from the symbol, the venues and the event that opened it, so a detector that recovers finds the same ids.
 */
export const opportunity = z.object({
  /** A key in two databases: Postgres takes no NUL, and nobody reads 200 kB of it. */
  id: z.string().regex(/^[\x20-\x7e]{1,128}$/),
  phase: z.enum(['opened', 'closed']),
  symbol: symbolName,
  buyVenue: venueName,
  sellVenue: venueName,
  /** First sight, ms, in the time of the entries. */
  openedAt: timeMs,
  /** Last sight; equal to openedAt in `opened`. */
  lastSeenAt: timeMs,
  /**
   * `open` in `opened`. In `closed`: gone (edge at or below the minimum), stale (a quote grew too old), refused (a
   * quote may not be trusted any more).
   */
  reason: z.enum(['open', 'gone', 'stale', 'refused']),
  buyPrice: z.number(),
  sellPrice: z.number(),
  buyFeeBps: z.number(),
  sellFeeBps: z.number(),
  /** After fees, at first sight; bestEdgeBps is the best seen while it lived. */
  edgeBps: z.number(),
  bestEdgeBps: z.number(),
  /** Depth swept to where the margin ends, at first sight. Float64: an estimate; the plan is exact. */
  quantity: z.number(),
  profit: z.number(),
  /** Worst prices of the sweep: the limits of the legs. */
  buyLimit: z.number(),
  sellLimit: z.number(),
  simulated: z.boolean(),
  sources: z.array(source),
})
export type Opportunity = z.infer<typeof opportunity>

export const fill = z.object({
  type: z.literal('fill'),
  /** client order id and number of the fill: unique. */
  id: z.string(),
  clientOrderId: z.string(),
  opportunityId: z.string(),
  /** 0 buy, 1 sell, 2 and up: unwinding. */
  leg: z.number().int().min(0),
  venue: venueName,
  symbol: symbolName,
  side,
  price: decimalText,
  quantity: decimalText,
  fee: decimalText,
  feeAsset: z.string(),
  time: wholeMs,
  simulated: z.boolean(),
})
export type Fill = z.infer<typeof fill>

export const executionCompleted = z.object({
  type: z.literal('completed'),
  opportunityId: z.string(),
  symbol: symbolName,
  buyVenue: venueName,
  sellVenue: venueName,
  /**
   * filled: both legs alike; unwound: the difference was traded back; exposed: a difference remains (it is below
   * a venue's minimum, or nobody took it); none: nothing was filled.
   */
  outcome: z.enum(['filled', 'unwound', 'exposed', 'none']),
  /** Base bought less base sold over all legs: '0' unless exposed. */
  residual: decimalText,
  time: wholeMs,
  simulated: z.boolean(),
})
export type ExecutionCompleted = z.infer<typeof executionCompleted>

export const executionEvent = z.discriminatedUnion('type', [fill, executionCompleted])
export type ExecutionEvent = z.infer<typeof executionEvent>
