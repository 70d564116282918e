// Shapes of what models say and decide, and of what analyses know: the records of the stream `insights.records`. Each
// has its own time, and the newest by it is what counts. Numbers in the JSON parts are float64; what must be exact is text.
import { z } from 'zod'
import { decimal, decimalText } from '../kernel/index.ts'

/** ms UTC. */
const instant = z.number().int().positive()
/** Part of a key: visible characters of any script. */
const name = z
  .string()
  .min(1)
  .max(200)
  .regex(/^\P{C}+$/u, 'holds a control character')
const text = z
  .string()
  .max(200_000)
  .refine(
    (given) => given.isWellFormed() && !given.includes('\0'),
    'holds a zero character or half of a pair',
  )
const json = z.unknown().refine((given) => given !== undefined && given !== null, 'is null')
const fields = z.record(z.string(), z.unknown())
const float = z.number().finite()
const exact = z
  .union([float, z.string().regex(/^-?\d+(\.\d+)?$/)])
  .transform((given) => decimalText(decimal(given)))

/** What was said in a conversation. Its identity is its content: said again at the same time it is the same. */
export const messageRecord = z.strictObject({
  kind: z.literal('message'),
  model: name,
  /** Which conversation of the model; the empty text where it has one only. */
  topic: z.union([name, z.literal('')]).default(''),
  role: z.enum(['system', 'user', 'assistant']),
  content: text,
  time: instant,
})
export type MessageRecord = z.infer<typeof messageRecord>

/** One cycle in which a model was asked what to do. */
const decisionRecord = z.strictObject({
  kind: z.literal('decision'),
  model: name,
  /** Unique with the model. */
  cycle: z.number().int().min(0),
  promptDigest: text.default(''),
  /** The model's reasoning. */
  trace: text.default(''),
  decisions: json,
  success: z.boolean(),
  error: text.default(''),
  /** When it was executed. */
  time: instant,
})

const traderRecord = z.strictObject({
  kind: z.literal('trader'),
  trader: name,
  exchangeProvider: name,
  marketProvider: name,
  /** %. A number or its decimal text; kept exactly. */
  allocationPct: exact,
  cooldown: fields.default({}),
  riskGuards: fields.default({}),
  lastDecisionAt: instant.nullable().default(null),
  pauseUntil: instant.nullable().default(null),
  time: instant,
})

/** How a symbol stands among all. */
const scoreRecord = z.strictObject({
  kind: z.literal('score'),
  symbol: name,
  score: float,
  agentScores: fields.default({}),
  time: instant,
})

/** Support and resistance. */
const levelsRecord = z.strictObject({
  kind: z.literal('levels'),
  symbol: name,
  /** Minutes, hours, days, weeks or months, as in 15m, 4h, 1D, 1W, 1M. */
  timeframe: z.string().regex(/^[1-9]\d{0,2}(m|h|d|w|D|W|M)$/),
  levels: json,
  time: instant,
})

const analysisRecord = z.strictObject({
  kind: z.literal('analysis'),
  symbol: name,
  agent: name,
  score: float,
  confidence: float,
  signals: json,
  reasoning: text.default(''),
  time: instant,
})

const memoryRecord = z.strictObject({
  kind: z.literal('memory'),
  /** The namespace: `session`, `working` and so on. */
  type: name,
  key: name,
  value: json,
  /** From its time on: a second to 366 days. */
  ttlMs: z
    .number()
    .int()
    .min(1_000)
    .max(366 * 86_400_000),
  time: instant,
})

const preferenceRecord = z.strictObject({
  kind: z.literal('preference'),
  user: name,
  key: name,
  value: json,
  time: instant,
})

const learningRecord = z.strictObject({
  kind: z.literal('learning'),
  agent: name,
  pattern: name,
  accuracy: float,
  sampleSize: z.number().int().min(0),
  time: instant,
})

export const insightRecord = z.discriminatedUnion('kind', [
  messageRecord,
  decisionRecord,
  traderRecord,
  scoreRecord,
  levelsRecord,
  analysisRecord,
  memoryRecord,
  preferenceRecord,
  learningRecord,
])
export type InsightRecord = z.infer<typeof insightRecord>
export type InsightKind = InsightRecord['kind']
export type RecordOf<K extends InsightKind> = Extract<InsightRecord, { kind: K }>

/** Records of one key are booked in their order. */
export function insightKey(record: InsightRecord): string {
  switch (record.kind) {
    case 'message':
    case 'decision':
      return `${record.kind} ${record.model}`
    case 'trader':
      return `${record.kind} ${record.trader}`
    case 'score':
      return `${record.kind} ${record.symbol}`
    case 'levels':
      return `${record.kind} ${record.symbol} ${record.timeframe}`
    case 'analysis':
      return `${record.kind} ${record.symbol} ${record.agent}`
    case 'memory':
      return `${record.kind} ${record.type} ${record.key}`
    case 'preference':
      return `${record.kind} ${record.user} ${record.key}`
    case 'learning':
      return `${record.kind} ${record.agent} ${record.pattern}`
  }
}
