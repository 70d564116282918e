// Parameters and bodies against their shape.
import type { z } from 'zod'
import { SluiceError } from '../kernel/index.ts'

/** Throws REQUEST_INVALID naming what is wrong and what is allowed. */
export function parameters<S extends z.ZodType>(shape: S, given: unknown): z.output<S> {
  const parsed = shape.safeParse(given ?? {})
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(
    ({ path, message }) => `${path.join('.') || 'request'}: ${message}`,
  )
  throw new SluiceError('REQUEST_INVALID', problems.join('; ').slice(0, 500))
}
