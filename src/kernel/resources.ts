// Things that are opened are closed once, in reverse order, also when opening a later one fails.
import { SluiceError } from './errors.ts'

export interface Resources {
  /** Registers how to close what was just opened; returns it. */
  own<T>(resource: T, close: (resource: T) => Promise<unknown> | unknown): T
  /** Closes everything in reverse order. Every closer runs; the first error is thrown at the end. */
  close(): Promise<void>
}

export function openResources(): Resources {
  const closers: (() => Promise<unknown> | unknown)[] = []
  let closing: Promise<void> | undefined
  return {
    own(resource, close) {
      if (closing) throw new SluiceError('USAGE', 'A resource was opened after closing began.')
      closers.push(() => close(resource))
      return resource
    },
    close() {
      closing ??= closeAll(closers)
      return closing
    },
  }
}

async function closeAll(closers: (() => Promise<unknown> | unknown)[]): Promise<void> {
  const errors: unknown[] = []
  for (const close of closers.reverse()) {
    try {
      await close()
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length > 0) throw errors[0]
}
