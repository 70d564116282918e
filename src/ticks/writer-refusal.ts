// An error on its way between threads: classes do not cross, their fields do.
import { type ErrorCode, SluiceError } from '../kernel/index.ts'

export interface Refusal {
  readonly code: ErrorCode
  readonly message: string
  readonly facts: Readonly<Record<string, string | number>>
}

export function refusalOf({ code, message, facts }: SluiceError): Refusal {
  const plain = Object.entries(facts).map(([name, value]) => [
    name,
    typeof value === 'number' ? value : String(value),
  ])
  return { code, message, facts: Object.fromEntries(plain) }
}

export const errorOf = ({ code, message, facts }: Refusal): SluiceError =>
  new SluiceError(code, message, { ...facts })
