// What the cache says.
import { counts, says, seconds } from './consequence.ts'
import type { Rules } from './rules.ts'

export const CACHE_RULES: Rules['cache'] = {
  loaded: ({ view, tookMs }) =>
    counts(
      ['sluice_cache_loaded_total', 1, { view }],
      ['sluice_cache_load_seconds_total', seconds(tookMs), { view }],
    ),
  failed: ({ view }) =>
    says('warn', 'a view could not be loaded', view, ['sluice_cache_failed_total', 1, { view }]),
  refused: ({ view }) => counts(['sluice_cache_refused_total', 1, { view }]),
  dropped: ({ entries }) => counts(['sluice_cache_dropped_total', entries]),
  flushed: ({ reason }) => counts(['sluice_cache_flushed_total', 1, { reason }]),
  serving: ({ serving }) => counts(['sluice_cache_interrupted_total', serving ? 0 : 1]),
  reached: ({ reached, reason }) =>
    reached
      ? counts()
      : says('warn', `answers are loaded past the cache's Redis: ${reason}`, 'cache', [
          'sluice_cache_unreached_total',
          1,
        ]),
  disturbed: () =>
    says('warn', 'drops may be missed: views are loaded anew', 'cache', ['sluice_cache_disturbed_total', 1]),
  used: ({ done, now }) => ({
    ...counts(
      ['sluice_cache_hits_total', done.memoryHits, { level: 'memory' }],
      ['sluice_cache_hits_total', done.redisHits, { level: 'redis' }],
      ['sluice_cache_joined_total', done.joined],
      ['sluice_cache_waits_total', done.waits],
      ['sluice_cache_refreshed_total', done.refreshed],
      ['sluice_cache_old_given_total', done.oldGiven],
      ['sluice_cache_bypassed_total', done.bypassed],
      ['sluice_cache_unheard_total', done.unheard],
      ['sluice_cache_gaps_total', done.gaps],
    ),
    levels: {
      sluice_cache_entries: now.entries,
      sluice_cache_bytes: now.bytes,
      sluice_cache_loading: now.loading,
      sluice_cache_breaker_open: now.breaker === 'closed' ? 0 : 1,
      sluice_cache_serving: now.serving ? 1 : 0,
      // Nothing is served from memory without a proof, so there is no age to tell.
      sluice_cache_proof_age_seconds: now.serving ? seconds(now.proofAgeMs) : 0,
    },
  }),
  compared: ({ view, place, result, ageMs }) => {
    const all = counts(
      ['sluice_cache_compared_total', 1, { view, result }],
      ...(ageMs === undefined
        ? []
        : [
            ['sluice_cache_sampled_total', 1] as const,
            ['sluice_cache_sampled_age_seconds_total', seconds(Math.max(0, ageMs))] as const,
          ]),
    )
    return result === 'wrong'
      ? says('error', `a cached answer is wrong and nobody has dropped it: ${place}`, place, ...all.counts)
      : all
  },
  warmed: ({ view, warmed, reason, tookMs }) => {
    const all = counts(
      ['sluice_cache_warmed_total', warmed, { view }],
      ['sluice_cache_warm_seconds_total', seconds(tookMs), { view }],
    )
    return reason === undefined
      ? all
      : says('warn', `a view was not warmed whole: ${reason}`, view, ...all.counts)
  },
}
