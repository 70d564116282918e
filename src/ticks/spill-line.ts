// Hands out the batches of one spill file in order, and knows which of them are still under way.
import type { TickBatch } from './batch.ts'
import { dayOfSegment, type SpillFolder } from './spill-folder.ts'
import type { Segment } from './spill-segment.ts'
import type { TickEmitter } from './tick-events.ts'

/** A batch out of the files; exactly one of the four is to be called. */
export interface Spilled {
  readonly batch: TickBatch
  /** How often it was handed out, this time included, and not only put off. */
  readonly times: number
  /** It is in the store: its file may go when all of it is. */
  done(): void
  /** The store refuses it: its file stays for the next start. */
  keep(reason: string): void
  /** What became of it is unknown: it is handed out again. */
  again(): void
  /** Nothing became of it: it is handed out again, when that day (YYYY-MM-DD) takes ticks again. */
  later(day?: string): void
}

export interface SpillLine {
  readonly folder: SpillFolder
  readonly segment: Segment
  /** What waits for no day. */
  hasMore(): boolean
  /** The next one was handed out before, and nobody knows what became of it. */
  isAgain(): boolean
  /** All was handed out, and of all of it is known what became of it. */
  isOver(): boolean
  /** Something in it is needed at the next start. */
  isKept(): boolean
  /** The next batch; undefined at the end. Rejects with what the system says; then it can be asked again. */
  next(): Promise<Spilled | undefined>
}

export interface LineOptions {
  readonly folder: SpillFolder
  readonly segment: Segment
  readonly events: TickEmitter
  /** Whether a day (YYYY-MM-DD) does not take its ticks now. */
  readonly isFailing: (day: string) => boolean
  /** So many ticks of it are done with. */
  readonly onEnd: (line: SpillLine, count: number) => void
}

export function openLine({ folder, segment, events, isFailing, onEnd }: LineOptions): SpillLine {
  let readAt = 0
  /** Places of batches that are to be handed out once more, how often they were, and the day that they wait for. */
  const again: { readonly at: number; readonly times: number; readonly day: string | undefined }[] = []
  let out = 0
  let isKept = false
  const day = dayOfSegment(segment.path)
  const mayGo = (day: string | undefined) => day === undefined || !isFailing(day)
  const nextAgain = () => again.findIndex(({ day }) => mayGo(day))

  const spilledAt = (at: number, batch: TickBatch, times: number): Spilled => {
    const end = () => {
      out--
      onEnd(line, batch.count)
    }
    return {
      batch,
      times,
      done: end,
      keep(reason) {
        isKept = true
        events.emit('kept', { path: segment.path, count: batch.count, reason })
        end()
      },
      again() {
        out--
        again.push({ at, times, day: undefined })
      },
      later(day) {
        out--
        again.push({ at, times: times - 1, day })
      },
    }
  }
  const line: SpillLine = {
    folder,
    segment,
    hasMore: () => nextAgain() !== -1 || (mayGo(day) && readAt < segment.size()),
    isAgain: () => again.some(({ times, day }) => times > 0 && mayGo(day)),
    isOver: () => out === 0 && again.length === 0 && readAt >= segment.size(),
    isKept: () => isKept,
    async next() {
      while (line.hasMore()) {
        const repeated = again[nextAgain()]
        const at = repeated?.at ?? readAt
        const found = await segment.read(at)
        if (repeated) again.splice(again.indexOf(repeated), 1)
        else readAt = at + ('batch' in found ? found.bytes : found.inside ? found.cut : 0)
        if ('batch' in found) {
          out++
          return spilledAt(at, found.batch, (repeated?.times ?? 0) + 1)
        }
        if (found.inside) isKept = true
        events.emit('cut', { path: segment.path, bytes: found.cut, inside: found.inside })
      }
      return undefined
    },
  }
  return line
}
