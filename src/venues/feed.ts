// What every source of quotes hands over, simulated or recorded.
import type { QuoteMessage } from '../catalog/index.ts'

/** What a feed learned at one moment. */
export interface FeedStep {
  /** Counts the feed's steps from 1: the same place of the same feed, so an event id can be derived from it. */
  readonly sequence: number
  /** When the feed learned it, ms UTC: the wall's time, or the recording's. */
  readonly time: number
  /** One for each venue and board, applied together. */
  readonly messages: readonly QuoteMessage[]
}

/** Resolves when the steps are stored; the feed waits for it before it goes on. What it throws ends the feed. */
export type PublishSteps = (steps: readonly FeedStep[]) => Promise<void>
