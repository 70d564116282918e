// A source makes the keys of some families. `rebuild` writes everything it can tell from the truth; `keep` follows what
// changes and writes the same by the same functions, so both leave the same keys.
export interface ProjectionSource {
  /** For reports. */
  readonly name: string
  /** Safe at any time and from several processes: what is newer stays. False when it was told to stop before its end. */
  rebuild(signal: AbortSignal): Promise<boolean>
  /** Rebuilds, then keeps current until told to stop. Rejects when Redis or a store fails; the caller tries again. */
  keep(signal: AbortSignal): Promise<void>
}
