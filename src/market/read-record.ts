// One record of what models and analyses say, as it came from outside. Its shape is the catalog's; here its times are
// read as those of quotes are, and what is wrong with it is said in the words that the way in has for it.
import { type Outgoing, outgoing } from '../bus/index.ts'
import { insightRecord, insightRecords } from '../catalog/index.ts'
import { deriveId, messageOf } from '../kernel/index.ts'
import { timeOf } from './numbers.ts'
import type { Rejection } from './reasons.ts'

// A clock that is ahead; a record of the next year would stay the newest until then.
const AHEAD_MAX_MS = 3_600_000
const INSTANTS = ['time', 'lastDecisionAt', 'pauseUntil'] as const

/**
 * The event of a record, or why there is none. Its id is its content, so that the same one is booked once however often
 * it is sent. `takenAt` is when Redis took it, ms UTC.
 */
export function readRecord(value: unknown, takenAt: number): Outgoing | Rejection {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { reason: 'bad_shape', detail: 'a record is an object' }
  }
  const given = { ...value } as Record<string, unknown>
  for (const name of INSTANTS) {
    const time = timeOf(given[name])
    if (time !== undefined) given[name] = Math.floor(time)
  }
  const read = insightRecord.safeParse(given)
  if (!read.success) return rejectionOf(read.error.issues, given)
  const { time } = read.data
  if (time > takenAt + AHEAD_MAX_MS) {
    return { reason: 'bad_time', detail: `time is ${time - takenAt} ms ahead of ${takenAt}` }
  }
  try {
    const id = deriveId('record', JSON.stringify(read.data))
    return outgoing(insightRecords, id, read.data, { time: takenAt })
  } catch (error) {
    // JSON.parse reads any depth and JSON.stringify ends the stack.
    return { reason: 'bad_value', detail: messageOf(error).slice(0, 200) }
  }
}

interface Issue {
  readonly code: string
  readonly path: readonly PropertyKey[]
  readonly message: string
}

/** In the word of the first thing that is wrong; the detail names all. */
function rejectionOf(issues: readonly Issue[], given: Readonly<Record<string, unknown>>): Rejection {
  const found = issues.map((issue) => judge(issue, given))
  const detail = found.map((one) => one.detail).join('; ')
  return { reason: found[0]!.reason, detail: detail.slice(0, 500) }
}

function judge({ code, path, message }: Issue, given: Readonly<Record<string, unknown>>): Rejection {
  const name = String(path[0] ?? '')
  if (code === 'unrecognized_keys') return { reason: 'unknown_field', detail: message }
  if (name !== '' && given[name] === undefined)
    return { reason: 'missing_field', detail: `${name} is missing` }
  const detail = `${path.join('.')}: ${message}`
  if (name === 'kind') return { reason: 'unknown_kind', detail }
  return { reason: INSTANTS.some((one) => one === name) ? 'bad_time' : 'bad_value', detail }
}
