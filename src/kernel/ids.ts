// Identities. An id that must survive a retry is derived from what it names; a random one names a process.
import { createHash, randomUUID } from 'node:crypto'
import { hostname } from 'node:os'

/** 128 bits of SHA-256 over the parts, as 32 hex digits: the same parts give the same id on any machine. */
export function deriveId(...parts: readonly (string | number)[]): string {
  const hash = createHash('sha256')
  for (const part of parts) {
    const text = String(part)
    // The length goes in front so that ('ab','c') and ('a','bc') differ.
    hash.update(`${text.length}:${text}`)
  }
  return hash.digest('hex').slice(0, 32)
}

export const randomId = (): string => randomUUID()

/** host:pid:boot. The boot part tells a reused pid from the process that had it before. */
export const processId: string = `${hostname()}:${process.pid}:${randomUUID().slice(0, 8)}`
