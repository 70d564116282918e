// Cached answers about funding; they stand among the others in views.ts.
import { z } from 'zod'
import { defineView, dropKey, dropTag, LIFETIMES } from '../cache/index.ts'
import { type ContextRow, contextRow, type FundingRow, fundingRow } from './funding.ts'

/** In place of a venue: all of them. */
export const ALL_VENUES = '-'

export const latestFunding = defineView<[venue: string], FundingRow[]>({
  name: 'funding',
  about: 'The newest funding rate of each instrument, of all venues or of one.',
  shape: z.array(fundingRow),
  parts: ['venue'],
  lifetimeMs: LIFETIMES.medium,
})

/** In memory only: whoever asks chooses the page, and so how many answers there are. */
export const fundingHistory = defineView<
  [venue: string, symbol: string, before: number | '-', limit: number],
  FundingRow[]
>({
  name: 'funding.history',
  about: 'Funding rates of an instrument, newest first.',
  shape: z.array(fundingRow),
  parts: ['venue', 'symbol', 'before', 'limit'],
  lifetimeMs: LIFETIMES.medium,
  level: 'memory',
  tags: ([venue, symbol]) => [historyTag(venue, symbol)],
})

/** They change with each message of a venue: dropped each time, they would never be there. */
export const assetContexts = defineView<[venue: string], ContextRow[]>({
  name: 'contexts',
  about: 'What venues last said of their instruments: prices, open interest, volume.',
  shape: z.array(contextRow),
  parts: ['venue'],
  lifetimeMs: 2_000,
  onlyAges: true,
})

const historyTag = (venue: string, symbol: string) => `funding:${venue}:${symbol}`

/** What other rates of these instruments change. */
export const fundingDrops = (changed: readonly { readonly venue: string; readonly symbol: string }[]) => [
  ...[ALL_VENUES, ...new Set(changed.map(({ venue }) => venue))].map((venue) =>
    dropKey(latestFunding, [venue]),
  ),
  ...[...new Set(changed.map(({ venue, symbol }) => historyTag(venue, symbol)))].map(dropTag),
]
