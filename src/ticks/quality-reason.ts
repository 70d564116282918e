// Why a tick is not used. The words are stable: they stand in rows of quarantine, in reports and in metrics.

export const QUALITY_REASONS = {
  not_json: 'what was read is no object of JSON',
  too_large: 'an object or a line without an end',
  cut_off: 'the last of a file that could not be read on',
  conflict_marker: 'a marker of a merge that was not resolved, or what stands between two',
  field_count: 'a line of CSV with more or fewer fields than its header',
  missing_field: 'symbol, source, bid or ask is missing, or a name is none',
  bad_number: 'a price, size, volume or flag is no number that can be kept',
  bad_time: 'the time is missing or cannot be read, has no zone, or lies outside of 1971 to 2261',
  non_positive: 'bid or ask is zero or below',
  crossed: 'the bid is above the ask',
  wide_spread: 'the spread is more than 10 % of the bid',
  future: 'more than a minute ahead of the clock',
  too_old: 'more than a day behind the clock (live only)',
  duplicate: 'the same time and content as the tick before it',
  jump: 'the mid moved too far within a minute, and the ticks behind it did not agree',
} as const

export type QualityReason = keyof typeof QUALITY_REASONS
