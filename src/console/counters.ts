// Every counter that a worker keeps: its Prometheus name, what it counts, its labels. Most labels come from the catalog
// (streams, groups, views, jobs, venues); symbols may come from anywhere, so the number of series has a limit.
import type { CounterSample } from '../catalog/index.ts'

export const COUNTERS = {
  sluice_bus_published_total: 'Events stored by this process.',
  sluice_bus_duplicates_total: 'Events published again and recognised by their id.',
  sluice_bus_publish_seconds_total: 'Time spent publishing.',
  sluice_bus_refused_total: 'Publications refused because a partition is at its hard limit.',
  sluice_bus_handled_total: 'Entries handled and acknowledged.',
  sluice_bus_handle_seconds_total: 'Time spent handling batches.',
  sluice_bus_retried_total: 'Attempts that failed and are made again.',
  sluice_bus_dead_lettered_total: 'Entries given up and kept as dead letters.',
  sluice_bus_lost_total: 'Entries that vanished before they were acknowledged, or holes in a sequence.',
  sluice_bus_took_over_total: 'Partitions taken over.',
  sluice_bus_handed_over_total: 'Partitions handed over.',
  sluice_bus_fenced_total: 'Acknowledgements or outputs of a former owner that were refused.',
  sluice_bus_trimmed_total: 'Entries trimmed.',
  sluice_bus_disturbed_total: 'Connections of the bus that failed, or readers that were restarted.',
  sluice_locks_acquired_total: 'Locks acquired.',
  sluice_locks_wait_seconds_total: 'Time spent waiting for locks that were then acquired.',
  sluice_locks_refused_total: 'Locks not acquired, by reason.',
  sluice_locks_extended_total: 'Extensions of held locks.',
  sluice_locks_lost_total: 'Locks lost before their work was done, by reason.',
  sluice_locks_released_total: 'Locks released.',
  sluice_locks_held_seconds_total: 'Time for which locks were held.',
  sluice_locks_disturbed_total: 'Lock servers that failed to answer.',
  sluice_cache_loaded_total: 'Answers loaded.',
  sluice_cache_load_seconds_total: 'Time spent loading answers.',
  sluice_cache_failed_total: 'Loaders that failed.',
  sluice_cache_refused_total: 'Answers not stored because they were dropped while loading.',
  sluice_cache_dropped_total: 'Answers that drops removed from memory.',
  sluice_cache_unreached_total: 'Times that the level in Redis stopped answering.',
  sluice_cache_flushed_total: 'Times that memory was emptied, by reason.',
  sluice_cache_interrupted_total: 'Times that memory could no longer be served.',
  sluice_cache_disturbed_total: 'Connections of the cache that failed.',
  sluice_cache_hits_total: 'Answers given from memory or from Redis, by level.',
  sluice_cache_joined_total:
    'Callers that waited for a load which another caller of their process had begun.',
  sluice_cache_waits_total: 'Looks at an answer that another process was loading.',
  sluice_cache_refreshed_total:
    'Loads of an answer that others were given meanwhile, or that would soon have ended.',
  sluice_cache_old_given_total: 'Answers past their lifetime, within their grace.',
  sluice_cache_bypassed_total: 'Answers past the level in Redis, because it did not answer.',
  sluice_cache_unheard_total: 'Answers past the memory, because drops were not known to arrive.',
  sluice_cache_gaps_total: 'Times that drops had been missed.',
  sluice_cache_compared_total: 'Answers compared with their sources a moment later, by view and result.',
  sluice_cache_sampled_total: 'Answers from memory whose age was looked at.',
  sluice_cache_sampled_age_seconds_total: 'Their age, summed.',
  sluice_cache_warmed_total: 'Answers put into Redis before anybody asked for them.',
  sluice_cache_warm_seconds_total: 'Time spent warming.',
  sluice_database_transactions_total: 'Transactions that ended well.',
  sluice_database_transaction_seconds_total: 'Time spent in transactions.',
  sluice_database_wait_seconds_total: 'Time spent waiting for a transaction to begin.',
  sluice_database_retried_total: 'Transactions begun anew after a lock or a lost race.',
  sluice_database_failed_total: 'Transactions that failed.',
  sluice_database_disturbed_total: 'Database connections that failed, or work after a commit that did.',
  sluice_jobs_completed_total: 'Scheduled jobs that ended well.',
  sluice_jobs_seconds_total: 'Time spent in scheduled jobs.',
  sluice_jobs_failed_total: 'Scheduled jobs that failed.',
  sluice_jobs_stalled_total: 'Scheduled jobs whose worker fell silent.',
  sluice_jobs_disturbed_total: 'Connections of the job queues that failed.',
  sluice_cutover_changes_total: 'Changes of a phase that this process has learned of.',
  sluice_cutover_stepped_back_total: 'Features put back because reads differed.',
  sluice_cutover_compared_total: 'Reads compared with the other store, by result.',
  sluice_cutover_skipped_total: 'Reads not compared because enough comparisons were under way.',
  sluice_cutover_unread_total: 'Reads not compared because the other store failed.',
  sluice_cutover_blind_total: 'Times that the phases could not be read for seconds.',
  sluice_cutover_disturbed_total: 'Messages or steps back of the cut-over engine that failed at first.',
  sluice_market_accepted_total:
    'Quotes, funding rates, contexts and records that were checked and are on their way.',
  sluice_market_rejected_total: 'Quotes, funding rates, contexts and records rejected, by reason.',
  sluice_market_lost_total: 'Channel messages that could not be published and are gone.',
  sluice_market_unkept_total: 'Rejected messages that could not be kept either.',
  sluice_market_waits_total: 'Times that publishing had to wait.',
  sluice_arbitrage_quotes_refused_total: 'Quotes that detection did not use, by reason.',
  sluice_arbitrage_opened_total: 'Opportunities seen for the first time.',
  sluice_arbitrage_closed_total: 'Opportunities that ended, by reason.',
  sluice_arbitrage_executed_total: 'Executions settled, by outcome.',
  sluice_arbitrage_execute_seconds_total: 'Time from the decision to the settlement.',
  sluice_arbitrage_refused_total: 'Opportunities refused, by reason.',
  sluice_arbitrage_unwound_total: 'Differences between legs that were traded back.',
  sluice_arbitrage_ambiguous_total: 'Orders of which a venue did not say what became.',
  sluice_arbitrage_exposed_total: 'Differences between legs that stay open.',
  sluice_arbitrage_recovered_total: 'Executions taken up from another executor.',
  sluice_arbitrage_postponed_total: 'Executions that stay pending and are tried again.',
  sluice_ledger_booked_total: 'Fills and trades booked.',
  sluice_ledger_book_seconds_total: 'Time spent booking.',
  sluice_ledger_duplicates_total: 'Fills and trades that came again and changed nothing.',
  sluice_ledger_mismatches_total: 'Events that contradict what is booked.',
  sluice_ledger_differences_total: 'Differences that reconciliations found, by what was compared.',
  sluice_funding_booked_total: 'Funding rates and contexts, by what became of them.',
  sluice_funding_book_seconds_total: 'Time spent booking funding.',
  sluice_insights_booked_total: 'Records of models and analyses booked, by kind.',
  sluice_insights_book_seconds_total: 'Time spent booking them.',
  sluice_insights_passed_total: 'Records that changed nothing: they came again, or what is kept is newer.',
  sluice_ticks_stored_total: 'Ticks of the stream that a store has taken.',
  sluice_ticks_duplicates_total: 'Ticks of the stream that a store had already.',
  sluice_ticks_unstored_total: 'Batches that a store could not take and that are tried again.',
  sluice_ticks_quarantined_total: 'Quotes that are no ticks, by reason.',
  sluice_ticks_archived_total: 'Ticks of days that were archived.',
  sluice_ticks_archive_seconds_total: 'Time spent archiving.',
  sluice_ticks_received_total: 'Ticks taken into the queue of the writing thread.',
  sluice_ticks_flushed_total: 'Ticks written to the files of their days.',
  sluice_ticks_flush_seconds_total: 'Time spent writing ticks.',
  sluice_ticks_spilled_total: 'Ticks put into the spill file.',
  sluice_ticks_drained_total: 'Ticks written out of the spill file.',
  sluice_ticks_retried_total: 'Writes of ticks that did not succeed at first.',
  sluice_ticks_refused_total: 'Ticks that were not written.',
  sluice_candles_refused_total: 'Quotes of which no bar was made, by reason.',
  sluice_candles_late_total: 'Ticks that came after their bars were given away.',
  sluice_candles_kept_total: 'Bars stored or changed.',
  sluice_candles_older_total: 'Bars not written because what is stored is newer.',
  sluice_candles_keep_seconds_total: 'Time spent storing bars.',
  sluice_candles_projected_total: 'Bars written to files.',
  sluice_candles_delayed_total: 'Times that writing bars had to wait for its store.',
  sluice_candles_unkept_total: 'Times that bars of a ticker could not be written for good.',
  sluice_candles_project_seconds_total: 'Time spent writing bars to files.',
  sluice_projections_written_total: 'Keys for readers of the replaced systems that were written.',
  sluice_projections_overtaken_total: 'Such keys not written because something newer was there.',
  sluice_projections_failed_total: 'Times that such keys could not be kept, by what makes them.',
} as const

/** What goes up and down. */
export const GAUGES = {
  sluice_cache_entries: 'Answers in memory.',
  sluice_cache_bytes: 'Their size, estimated.',
  sluice_cache_loading: 'Loads that run now.',
  sluice_cache_breaker_open: 'Whether the level in Redis is not used, because it does not answer.',
  sluice_cache_serving: 'Whether answers are given from memory.',
  sluice_cache_proof_age_seconds:
    'How long ago drops were last known to arrive: nothing in memory is older after its drop.',
  sluice_ticks_queued: 'Ticks in memory that wait for the disk.',
  sluice_ticks_in_spill: 'Ticks in spill files: durable, and in no answer of the store yet.',
  // A time and no age: a process that keeps them no longer tells the same one, which grows old by itself.
  sluice_projections_current_timestamp_seconds:
    'When all keys of a family were last what the stores say, seconds since 1970.',
  sluice_ticks_failing_days: 'Days whose file takes no ticks.',
} as const

export type CounterName = keyof typeof COUNTERS
export type GaugeName = keyof typeof GAUGES
export type Labels = Readonly<Record<string, string>>

export interface Counters {
  add(name: CounterName, labels: Labels, by: number): void
  set(name: GaugeName, value: number, labels?: Labels): void
  /** Everything counted since the process started. */
  list(): CounterSample[]
}

// Reported every two seconds by each process, some 100 bytes each.
const SERIES_MAX = 1_000
const OTHER = 'other'

/** What no room is left for is counted together, under labels that say `other`. */
export function openCounters(): Counters {
  const series = new Map<string, CounterSample>()
  const keyOf = (name: CounterName | GaugeName, labels: Labels) =>
    `${name} ${Object.values(labels).join(' ')}`
  return {
    add(name, given, by) {
      const hasNoRoom = series.size >= SERIES_MAX && !series.has(keyOf(name, given))
      const labels = hasNoRoom
        ? Object.fromEntries(Object.keys(given).map((label) => [label, OTHER]))
        : { ...given }
      const key = keyOf(name, labels)
      const known = series.get(key)
      if (known) known[2] += by
      else series.set(key, [name, labels, by])
    },
    set: (name, value, labels = {}) => void series.set(keyOf(name, labels), [name, { ...labels }, value]),
    list: () => [...series.values()],
  }
}
