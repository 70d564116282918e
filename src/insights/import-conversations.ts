// Imports conversations as the API of the contest answers them: `{"conversations": [{"model_id", "messages": [{"role",
// "content", "timestamp"}]}]}`, or such conversations on lines of their own. Each message is counted by itself.
import { type MessageRecord, messageRecord } from '../catalog/index.ts'
import type { Database } from '../db/index.ts'
import type { Piece, Quarantined, Take } from '../imports/index.ts'
import type { Clock } from '../kernel/index.ts'
import { bookMessages } from './book-record.ts'

/** An answer is one object, and is parsed as a whole; conversations on lines of their own have no limit in all. */
export const ANSWER_BYTES_MAX = 16 * 1024 * 1024

interface Found {
  readonly messages: MessageRecord[]
  readonly quarantined: Quarantined[]
}

// As for ticks.
const AHEAD_MAX_MS = 60_000

/** For `runImport`. The database is not needed in a dry run. */
export const openConversationImport = ({
  database,
  clock,
}: {
  readonly database: Database | undefined
  readonly clock: Clock
}): { readonly take: Take } => ({
  async take(pieces) {
    const found: Found = { messages: [], quarantined: [] }
    const latest = clock.now() + AHEAD_MAX_MS
    for (const piece of pieces) readPiece(piece, latest, found)
    const { messages, quarantined } = found
    const fresh = database ? await database.write((tx) => bookMessages(tx, messages)) : messages
    const duplicate = messages.length - fresh.length
    return { read: messages.length + quarantined.length, stored: fresh.length, duplicate, quarantined }
  },
})

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function readPiece(piece: Piece, latest: number, found: Found): void {
  const refuse = (reason: string, detail: string, part?: unknown, source?: string) => {
    const text = part === undefined ? piece.text : JSON.stringify(part)
    found.quarantined.push({ piece: { ...piece, text }, reason, detail, source })
  }
  const answer = parse(piece.text)
  if (!isFields(answer)) {
    refuse('not_json', 'it cannot be parsed as an object of JSON')
    return
  }
  const { conversations = [answer] } = answer
  if (!Array.isArray(conversations)) {
    refuse('missing_field', 'conversations is no array')
    return
  }
  for (const conversation of conversations as unknown[]) {
    const { messages, model_id: model, topic } = isFields(conversation) ? conversation : NO_FIELDS
    if (!Array.isArray(messages)) {
      refuse('missing_field', 'messages is missing or no array', conversation)
      continue
    }
    for (const message of messages as unknown[]) {
      const read = readMessage(message, model, topic, latest)
      if ('kind' in read) found.messages.push(read)
      else refuse(read.reason, read.detail, message, typeof model === 'string' ? model : undefined)
    }
  }
}

type Refusal = Pick<Quarantined, 'reason' | 'detail'>

function readMessage(
  message: unknown,
  model: unknown,
  topic: unknown,
  latest: number,
): MessageRecord | Refusal {
  const { role, content, timestamp } = isFields(message) ? message : NO_FIELDS
  const time = timeOf(timestamp)
  const read = messageRecord.safeParse({ kind: 'message', model, topic, role, content, time })
  // It would stay the newest until then.
  if (time !== undefined && time > latest)
    return { reason: 'future', detail: `timestamp ${String(timestamp)}` }
  if (read.success) return read.data
  const { path, message: why } = read.error.issues[0]!
  const name = String(path[0])
  const isMissing = { role, content, model, topic, time: timestamp }[name] === undefined
  const reason = (isMissing ? undefined : REASONS[name]) ?? 'missing_field'
  return { reason, detail: `${FIELDS[name] ?? name}: ${why}` }
}

const NO_FIELDS: Fields = {}
const REASONS: Readonly<Record<string, string>> = {
  ...{ time: 'bad_time', role: 'bad_role', content: 'bad_text' },
  ...{ model: 'bad_text', topic: 'bad_text' },
}
/** As the file names them. */
const FIELDS: Readonly<Record<string, string>> = { time: 'timestamp', model: 'model_id' }

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

// 1971 to 2261, as for ticks.
const [FIRST_MS, LAST_MS] = [31_536_000_000, 9_183_110_400_000]
const MS_FROM = 1e11

/** The contest answers seconds, of prices ms: seconds reach 1e11 in the year 5138, ms had it in 1973. */
function timeOf(timestamp: unknown): number | undefined {
  if (typeof timestamp !== 'number') return undefined
  const time = Math.round(timestamp < MS_FROM ? timestamp * 1_000 : timestamp)
  return time >= FIRST_MS && time < LAST_MS ? time : undefined
}
