// What the keeping of ticks says.
import { counts, levels, says, seconds, troubled } from './consequence.ts'
import type { Rules } from './rules.ts'

export const TICK_RULES: Rules['ticks'] = {
  stored: ({ store, stored, duplicate }) =>
    counts(
      ['sluice_ticks_stored_total', stored, { store }],
      ['sluice_ticks_duplicates_total', duplicate, { store }],
    ),
  unstored: ({ store, wait, reason }) =>
    troubled(
      wait,
      [{ what: `ticks (${store})`, reason }],
      says('error', 'ticks cannot be stored; their stream waits', store, [
        'sluice_ticks_unstored_total',
        1,
        { store },
      ]),
    ),
  slow: ({ store, wait, forMs }) =>
    troubled(wait, [{ what: `ticks (${store})`, reason: `no answer of the store for ${forMs} ms` }]),
  resumed: ({ wait }) => troubled(wait, []),
  quarantined: ({ reason, count }) => counts(['sluice_ticks_quarantined_total', count, { reason }]),
  archived: ({ ticks, tookMs }) =>
    counts(['sluice_ticks_archived_total', ticks], ['sluice_ticks_archive_seconds_total', seconds(tookMs)]),
  unarchived: ({ day }) => says('warn', 'a day of ticks could not be archived; tried again', day),
  received: ({ count }) => counts(['sluice_ticks_received_total', count]),
  flushed: ({ stored, duplicate, tookMs }) =>
    counts(
      ['sluice_ticks_flushed_total', stored + duplicate],
      ['sluice_ticks_flush_seconds_total', seconds(tookMs)],
    ),
  spilled: ({ count }) =>
    says('warn', 'ticks go to the spill files', 'spilled', ['sluice_ticks_spilled_total', count]),
  drained: ({ stored, duplicate }) => counts(['sluice_ticks_drained_total', stored + duplicate]),
  retried: ({ day }) => counts(['sluice_ticks_retried_total', 1, { day }]),
  failing: ({ day }) =>
    says('error', 'the file of a day takes no ticks; they are kept, and tried again until it is mended', day),
  recovered: ({ day }) => says('warn', 'the file of a day takes ticks again', day),
  health: ({ queued, waiting, inSpill, failing, withoutThread }) => {
    const now = failing.map(({ day, reason }) => ({ what: `ticks of ${day}`, reason }))
    if (withoutThread) now.push({ what: 'ticks', reason: 'the thread that writes them ends again and again' })
    return troubled(
      'writer',
      now,
      levels({
        sluice_ticks_queued: queued + waiting,
        sluice_ticks_in_spill: inSpill,
        sluice_ticks_failing_days: failing.length,
      }),
    )
  },
  refused: ({ count }) =>
    says('error', 'ticks were not written, and who added them was told', 'refused', [
      'sluice_ticks_refused_total',
      count,
    ]),
  cut: ({ path }) => says('error', 'a spill file ends in a torn or damaged record', path),
  // Until the next start, so nothing ends it.
  kept: ({ path, reason }) =>
    troubled(
      path,
      [{ what: `the spilled ticks of ${path}`, reason }],
      says('error', 'spilled ticks stay in their file until the next start', path),
    ),
  unspilled: () => says('error', 'the spill file cannot be written', 'unspilled'),
  disturbed: ({ where }) => says('warn', 'keeping the files of ticks in order failed; tried again', where),
  died: () => says('error', 'the thread that writes ticks ended; another goes on', 'died'),
}
