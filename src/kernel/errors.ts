// Every failure that a person may have to act on carries a stable code. The table is the single list of
// codes; docs/ERRORS.md documents exactly these (a test compares both ways).

export const ERROR_CODES = {
  CONFIG_INVALID: 'A setting has a value that is not allowed.',
  NODE_TOO_OLD: 'Node is older than Sluice can run on.',
  PORT_IN_USE: 'A port that Sluice wants to listen on is taken.',
  ALREADY_RUNNING: 'Another `sluice start` runs in the same DATA_DIR.',
  REDIS_UNAVAILABLE: 'Redis did not answer.',
  REDIS_UNFIT:
    'The Redis server is too old, may evict keys, or is not of the topology that its address says.',
  REDIS_FULL: 'Redis has reached its memory limit; what was to be written is not, and what was there stays.',
  REDIS_NOT_FOUND: 'No redis-server program and no running server was found.',
  REDIS_WRONG_TYPE: 'A Redis key holds another type than Sluice keeps there.',
  DATABASE_UNAVAILABLE: 'The database did not answer, or a folder or a disk cannot be used.',
  DATABASE_BUSY: 'The database stayed locked by another writer past the deadline.',
  DATABASE_CONSTRAINT: 'A row breaks a rule of its table (unique, not null).',
  DATABASE_INVALID: 'The database file cannot be opened, is damaged, or is no SQLite database.',
  TICKS_WAITING: 'Ticks wait in spill files; what is made of the stored ones now would lack them.',
  TICKS_ARCHIVED: 'Ticks of an archived day would have to be laid out anew.',
  TICKS_DAMAGED: 'A file of kept ticks is damaged, or an archive does not hold what it was made from.',
  MIGRATION_PENDING: 'The database lacks tables; it must be migrated first.',
  MIGRATION_EDITED: 'An applied migration differs from its file, or a file was added before an applied one.',
  MIGRATION_FAILED: 'A migration could not be applied.',
  OVERLOADED: 'A stream reached its hard limit; the publisher is refused so that no reader is robbed.',
  PAYLOAD_INVALID: 'A payload does not have the shape that its stream or channel declares.',
  PAYLOAD_TOO_LARGE: 'A payload is larger than its stream allows.',
  ENTRY_MALFORMED: 'A stream entry lacks a field or holds one that cannot be parsed.',
  GROUP_IN_USE: 'A consumer group is not removed while somebody reads for it.',
  GROUP_UNKNOWN: 'A stream has no consumer group of that name.',
  OWNERSHIP_LOST: 'The partition belongs to another consumer now; its acknowledgement or output was refused.',
  DRAIN_LATE: 'A worker could not finish what it held in its time; the next start recovers it.',
  HANDLER_TIMEOUT: 'A handler did not finish in its time.',
  LOCK_LOST: 'A lock was lost before its work was done.',
  FENCED: 'A newer fencing token exists; nothing was written.',
  ORDER_INVALID: 'An order breaks a limit of its venue (tick, lot, minimum).',
  ORDER_AMBIGUOUS: 'The venue did not answer; whether the order exists is unknown until it is asked again.',
  VENUE_UNKNOWN: 'No venue of that name is configured.',
  INSTRUMENT_UNKNOWN: 'The venue does not trade that symbol.',
  RECORDING_INVALID: 'A recording has a line that cannot be understood.',
  FILE_NOT_FOUND: 'A file does not exist or cannot be read.',
  FILE_TOO_LARGE: 'A file of candles has come to the 2 GiB that can be read and replaced as a whole.',
  IMPORT_FAILED: 'A file could not be read to its end; what stands in front of the damage is imported.',
  IMPORT_RUNNING: 'Another process imports the same file.',
  USAGE: 'A command was called with arguments it does not take.',
  LEDGER_MISMATCH: 'Cash or positions do not equal what the fills say.',
  DEAD_LETTER_UNKNOWN: 'There is no such dead letter: it was replayed, dropped, or never there.',
  CUTOVER_CONFLICT: 'The phase of a feature was changed by somebody else meanwhile; nothing was done.',
  CUTOVER_REFUSED:
    'A step of a cut-over lacks something (a copy, a comparison, a phase to go to), or a setting goes round the phase.',
  CUTOVER_UNKNOWN: 'The phase of a feature cannot be read, and without it a store must not be left out.',
  REQUEST_INVALID: 'An HTTP request is malformed or has a parameter that is not allowed.',
  ROUTE_UNKNOWN: 'The console has no page or route of that address.',
  METHOD_REFUSED: 'The console answers GET and HEAD, and POST only where it changes something.',
  CACHE_LOAD_FAILED: 'A cached answer could not be loaded; the message is that of its loader.',
  CACHE_NOT_WARMED: 'The cache is being warmed by another process, or no lock server answers.',
  CACHE_OVERLOADED: 'More answers were asked for than the loaders behind the cache can give in time.',
  CHANGES_REFUSED: 'The console was asked to change something and is not allowed to.',
  TOKEN_REFUSED: 'A change was asked for without the token of CONSOLE_TOKEN, or with another one.',
  HOST_REFUSED: 'A request to a console on loopback named another host, as a page that rebinds DNS would.',
  REQUESTS_TOO_MANY: 'One client asks the console for more history than it answers in that time.',
  WATCHERS_TOO_MANY: 'As many pages as are allowed watch the console already.',
  INTERNAL: 'Something failed that nobody foresaw; the log has it under the request id.',
  ANSWER_LATE: 'A part of the system did not answer the console in time.',
} as const

export type ErrorCode = keyof typeof ERROR_CODES

/** An error with a stable `code`, a sentence for a person, and the facts behind it as fields. */
export class SluiceError extends Error {
  readonly code: ErrorCode
  readonly facts: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, facts: Record<string, unknown> = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'SluiceError'
    this.code = code
    this.facts = facts
  }
}

export function isSluiceError(error: unknown, code?: ErrorCode): error is SluiceError {
  return error instanceof SluiceError && (code === undefined || error.code === code)
}

/** The sentence of any thrown value. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ')
  // Anything can be thrown, also what has no text or throws when it is asked for one.
  try {
    return String(error instanceof Error ? error.message : error)
  } catch {
    return 'something without a text was thrown'
  }
}
