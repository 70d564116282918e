// Why a message from outside was not used. The words are stable: they are counted, kept with the message and
// documented in docs/FEEDING.md (a test compares both ways).
export const REJECT_REASONS = {
  not_json: 'The text is not JSON.',
  too_large: 'The message is larger than its way in allows; it was not parsed.',
  too_many: 'The message holds more than one message may.',
  bad_shape: 'It is neither a quote, a book, a funding rate, a context, an envelope nor an array of these.',
  missing_field: 'A field that is needed is missing.',
  bad_price: 'A price is not a number above zero.',
  bad_size: 'A size is not a number above zero.',
  bad_rate: 'A funding rate is not a number from -1 to 1.',
  bad_amount: 'An open interest or a volume is below zero, or an interval is not above 0 and up to 24 hours.',
  not_best_first: 'Levels of a book are not sorted best first, or a price stands twice.',
  crossed: 'The best bid is above the best ask.',
  bad_time:
    'The time cannot be read, is more than an hour ahead, or more than a day behind; or a settlement lies before 2016 or more than two days ahead.',
  unknown_venue: 'No venue of that name is configured.',
  unknown_symbol: 'The venue does not trade that symbol, or it is not written as BASE/QUOTE.',
  unknown_channel: 'The channel name does not have the parts that input channels have.',
  contradiction: 'The channel names one venue or symbol and the message another.',
} as const

/** Why a record was not used: what docs/INSIGHTS.md says (a test compares both ways). */
export const RECORD_REASONS = {
  bad_shape: 'It is no object of JSON.',
  unknown_kind: '`kind` is none of those that there are.',
  missing_field: 'A field that is needed is missing.',
  unknown_field: 'Its kind has no such field; misspelt, it would be lost without a word.',
  bad_value: 'A value is not what its kind allows.',
  bad_time: 'A time cannot be read, or is more than an hour ahead.',
} as const

export type RejectReason = keyof typeof REJECT_REASONS | keyof typeof RECORD_REASONS

export interface Rejection {
  readonly reason: RejectReason
  /** What was found, for the person who sent it. */
  readonly detail: string
}
