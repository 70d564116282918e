// What the keeping of projections says.
import { counts, says, seconds } from './consequence.ts'
import type { Rules } from './rules.ts'

export const PROJECTION_RULES: Rules['projections'] = {
  put: ({ family, result }) => counts([`sluice_projections_${result}_total`, 1, { family }]),
  failed: ({ source }) =>
    says('warn', 'projections are not kept; tried again', source, [
      'sluice_projections_failed_total',
      1,
      { source },
    ]),
  current: ({ family, at }) => ({
    ...counts(),
    levels: { sluice_projections_current_timestamp_seconds: seconds(at) },
    levelLabels: { family },
  }),
}
