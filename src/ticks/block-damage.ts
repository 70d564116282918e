// The error of a file, block or archive that does not hold what it should.
import { SluiceError } from '../kernel/index.ts'

/** TICKS_DAMAGED. */
export const damaged = (message: string, facts: Record<string, unknown> = {}, cause?: unknown): SluiceError =>
  new SluiceError('TICKS_DAMAGED', message, facts, cause)
