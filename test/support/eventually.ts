// Waits for a condition instead of sleeping and hoping: polls until it holds or the deadline says what was seen.
export async function eventually<T>(
  check: () => T | Promise<T>,
  { timeoutMs = 20_000, what = 'the condition' }: { timeoutMs?: number; what?: string } = {},
): Promise<NonNullable<T>> {
  const end = performance.now() + timeoutMs
  let last: unknown
  for (;;) {
    try {
      const value = await check()
      if (value) return value as NonNullable<T>
      last = value
    } catch (error) {
      last = error
    }
    if (performance.now() > end) {
      throw new Error(`${what} did not hold within ${timeoutMs} ms; last seen: ${String(last)}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
