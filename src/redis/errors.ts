// What a failed command means.
import { isSluiceError, messageOf, SluiceError, withoutPassword } from '../kernel/index.ts'

/** Says what a failed command means; other errors that Redis itself answered pass through unchanged. */
export function redisError(error: unknown, url: string): unknown {
  const text = messageOf(error)
  const where = withoutPassword(url)
  if (isWrongType(error)) {
    const advice = 'move or delete the key that another program wrote there'
    return new SluiceError('REDIS_WRONG_TYPE', `Redis at ${where}: ${text}; ${advice}.`, { where }, error)
  }
  if (isAnswer(error) && !isElsewhere(error) && !text.startsWith('LOADING')) return error
  if (error instanceof SluiceError || isMistake(error)) return error
  return new SluiceError('REDIS_UNAVAILABLE', `Redis at ${where} did not answer: ${text}`, { where }, error)
}

/** True for a key that holds another type than the command works on. Redis 6 wraps it in a script's own error. */
export const isWrongType = (error: unknown): boolean =>
  isSluiceError(error, 'REDIS_WRONG_TYPE') || /\bWRONGTYPE\b/.test(messageOf(error))

// Redis 6 wraps what a command of a script was refused with. A master that is demoted between a write and its WAIT says
// so without a code (4 times in a chaos run of a million messages).
const ELSEWHERE =
  /^(MOVED|ASK|CLUSTERDOWN|MASTERDOWN) |\bREADONLY You can't write|^ERR WAIT cannot be used with replica/

/**
 * True when the server says that another one is the right one by now: a demoted master, a slot that moved, a cluster
 * without an owner for it. Nothing was done; the connection finds the right one by itself.
 */
export const isElsewhere = (error: unknown): boolean => isAnswer(error) && ELSEWHERE.test(messageOf(error))

const isAnswer = (error: unknown) => error instanceof Error && error.name === 'ReplyError'

/** True for errors of the program, which no waiting cures. */
export const isMistake = (error: unknown): boolean =>
  error instanceof TypeError ||
  error instanceof RangeError ||
  error instanceof SyntaxError ||
  error instanceof ReferenceError
