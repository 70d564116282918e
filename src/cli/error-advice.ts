// What to do about an error code; docs/ERRORS.md puts it under the code's meaning.
import type { ErrorCode } from '../kernel/index.ts'

export const ERROR_ADVICE: Readonly<Partial<Record<ErrorCode, string>>> = {
  CONFIG_INVALID:
    'The message names the variable, what was given and what is allowed; see [settings](SETTINGS.md).',
  NODE_TOO_OLD: 'Install Node 20 or newer for `npm start`; it brings the Node 24 that runs the rest.',
  PORT_IN_USE: 'Stop the process that the message names, or start with another port: `PORT=8081 npm start`.',
  ALREADY_RUNNING:
    'Use the one that runs, stop it with Ctrl-C, or give the second one its own `DATA_DIR` and `PORT`.',
  REDIS_UNAVAILABLE:
    'Check `REDIS_URL` and that the server runs: `sluice doctor`. Workers go on by themselves once it answers.',
  REDIS_UNFIT:
    'Use Redis 6.2 or newer with `maxmemory-policy noeviction`. A server that evicts would drop messages in silence.',
  REDIS_FULL:
    'Raise `maxmemory`, or give what is kept for readers its own server (`REDIS_CACHE_URL`). Workers try again by themselves; a command is called again.',
  REDIS_NOT_FOUND: 'Run the one command that the message prints, or set `REDIS_URL`.',
  REDIS_WRONG_TYPE: 'Another program uses the same key. Give Sluice its own server or database number.',
  DATABASE_UNAVAILABLE:
    'Check `DATABASE_URL` and that the server runs: `sluice doctor`; or the owner and the room of the folder that the message names. Workers try again.',
  DATABASE_BUSY:
    'Another writer holds the database for too long. Nothing was written; the work is tried again.',
  DATABASE_CONSTRAINT: 'A defect: two writers disagree about what is unique. Report it with the message.',
  DATABASE_INVALID:
    'Check `SQLITE_DB_PATH`. A damaged file is restored from a backup; the streams deliver what came later.',
  TICKS_WAITING:
    'Let the ticks worker run until `sluice_ticks_in_spill` is 0, mending what it names, and call the command again.',
  TICKS_ARCHIVED:
    'Restore the day with `sluice partitions restore`, and call the command again. The day is archived again by itself.',
  TICKS_DAMAGED:
    'The message names the file. Restore it from a backup, or remove it and import the day again; what was not verified is never removed.',
  MIGRATION_PENDING: 'Run `sluice db migrate`. `npm start` does it by itself.',
  MIGRATION_EDITED: 'Restore the migration as it was applied, and put the change into a new one.',
  MIGRATION_FAILED: 'Nothing was changed. The message names the statement; mend its cause and migrate again.',
  OVERLOADED:
    'Readers are slower than publishers: look at `sluice streams`, start more workers. Publishing again is safe.',
  PAYLOAD_INVALID:
    'Mend the publisher; the shapes are in `src/catalog`. Bad input is kept with its reason: `sluice dlq list`.',
  PAYLOAD_TOO_LARGE: 'Publish smaller messages, or raise `maxPayloadBytes` of the stream in the catalog.',
  ENTRY_MALFORMED: 'Some program wrote the entry by hand. It is kept with its reason: `sluice dlq list`.',
  OWNERSHIP_LOST:
    'Nothing: another consumer took over and does the work. Often seen when a machine is too slow for `LEASE_MS`.',
  GROUP_IN_USE:
    'Stop the consumers that the message names (host:pid:…), and keep them from being started again; then remove it.',
  GROUP_UNKNOWN:
    'The message names the groups that there are. A group exists once a consumer has read for it: `sluice groups list`.',
  HANDLER_TIMEOUT:
    'The entry is tried again and dead-lettered in the end. Look for a slow database or venue.',
  LOCK_LOST:
    'Nothing: the work is done by whoever holds the lock now, and the fencing token keeps the two apart.',
  FENCED: 'Nothing: a newer holder does the work. It shows that the fence did its duty.',
  ORDER_INVALID: 'A defect of planning: report it with the message.',
  ORDER_AMBIGUOUS: 'The order is asked for by its client order id before anything else is sent.',
  VENUE_UNKNOWN: 'Add the venue (`VENUES_FILE`), or mend the name in the feed.',
  INSTRUMENT_UNKNOWN: 'Add the instrument to its venue, or mend the symbol in the feed.',
  RECORDING_INVALID: 'The message names the line. A recording is used whole or not at all.',
  FILE_TOO_LARGE:
    'Finish the cut-over of candles (`sluice cutover`): the database goes on with the series, its file stays as it is.',
  FILE_NOT_FOUND: 'Check the path; it is relative to the folder where the command runs.',
  IMPORT_FAILED:
    'Get the file again (the message says where it is damaged) and import it: what is stored already is recognised.',
  IMPORT_RUNNING:
    'Nothing: the other one goes on. Where it was killed, call the same command again and it continues.',
  USAGE: 'See `sluice help` and `sluice help <command>`.',
  LEDGER_MISMATCH:
    'Stop executors and compare the fills with the venue: the books do not follow from the fills.',
  CUTOVER_CONFLICT: 'Look where the feature is now (`sluice cutover status`) and decide anew.',
  CUTOVER_REFUSED:
    'The message names the command or the setting that brings what is missing; [cut-overs](CUTOVER.md).',
  CUTOVER_UNKNOWN:
    'Check the database: `sluice doctor`. Nothing was acknowledged; writers come again by themselves.',
  REQUEST_INVALID: 'Mend the request; the message names the parameter.',
  DEAD_LETTER_UNKNOWN: 'See what there is: `sluice dlq list`.',
  CACHE_LOAD_FAILED: 'Mend what the message says; within a second the answer is loaded again.',
  CACHE_NOT_WARMED: 'Try again in a moment; where it stays so, `sluice doctor` looks at the lock servers.',
  CACHE_OVERLOADED:
    'The database is slow or Redis is away: `sluice doctor`. More loads at once: `CACHE_LOADS`.',
  CHANGES_REFUSED:
    'Set `CONSOLE_TOKEN` for the gateway and start it again, or use the command line (`sluice dlq`, `sluice groups`).',
  REQUESTS_TOO_MANY: 'Wait as long as `retry-after` says, or ask for larger pages.',
  TOKEN_REFUSED: 'Send `Authorization: Bearer <token>` with the token that the gateway was started with.',
  INTERNAL: 'Look into the log for the request id, and report it.',
}
