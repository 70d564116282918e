import type { Stream } from '../bus/index.ts'
import { STREAMS } from '../catalog/index.ts'
import { SluiceError } from '../kernel/index.ts'

/** A stream of the catalog. Throws USAGE with the names that there are. */
export function streamNamed(name: string): Stream<unknown> {
  const stream = STREAMS.find((one) => one.name === name)
  if (stream) return stream as Stream<unknown>
  const allowed = STREAMS.map((one) => one.name).join(', ')
  throw new SluiceError('USAGE', `There is no stream ${name}; allowed: ${allowed}`, { name })
}
