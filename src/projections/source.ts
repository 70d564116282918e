// A source makes the keys of some families. `rebuild` writes everything it can tell from the truth; `keep` follows what
// changes and writes the same by the same functions, so both leave the same keys.
export interface KeepingListener {
  /** All its keys are what the stores say: they were written, or looked at and unchanged. */
  onCurrent?(): void
  /** Redis has no room for something, which is tried again later; the rest is kept. */
  onFull?(error: unknown): void
}

export interface ProjectionSource {
  /** For reports. */
  readonly name: string
  /** Safe at any time and from several processes: what is newer stays. False when it was told to stop before its end. */
  rebuild(signal: AbortSignal): Promise<boolean>
  /** Rebuilds, then keeps current until told to stop. Rejects when Redis or a store fails; the caller tries again. */
  keep(signal: AbortSignal, listener?: KeepingListener): Promise<void>
}
