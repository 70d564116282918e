// What becomes of every event: the counters it moves and, where a person should know, a line in the log.
import type { EventEmitter } from 'eventemitter3'
import { CACHE_RULES } from './cache-rules.ts'
import { CANDLE_RULES } from './candle-rules.ts'
import { type Consequence, counts, says, seconds } from './consequence.ts'
import type { Emitters } from './emitters.ts'
import { FUNDING_RULES } from './funding-rules.ts'
import { PROJECTION_RULES } from './projection-rules.ts'
import { TICK_RULES } from './tick-rules.ts'

type EventsOf<E> = E extends EventEmitter<infer Events> ? Events : never
type FactOf<F> = F extends (fact: infer Fact) => void ? Fact : never
export type Rules = {
  readonly [P in keyof Emitters]-?: {
    readonly [K in keyof EventsOf<NonNullable<Emitters[P]>>]: (
      fact: FactOf<EventsOf<NonNullable<Emitters[P]>>[K]>,
    ) => Consequence
  }
}

export const RULES: Rules = {
  bus: {
    published: ({ stream, count, duplicates, tookMs }) =>
      counts(
        ['sluice_bus_published_total', count, { stream }],
        ['sluice_bus_duplicates_total', duplicates, { stream }],
        ['sluice_bus_publish_seconds_total', seconds(tookMs), { stream }],
      ),
    refused: ({ stream, reason }) =>
      says('error', 'a partition is full; the publisher was refused', stream, [
        'sluice_bus_refused_total',
        1,
        { stream, reason },
      ]),
    handled: ({ stream, group, count, tookMs }) =>
      counts(
        ['sluice_bus_handled_total', count, { stream, group }],
        ['sluice_bus_handle_seconds_total', seconds(tookMs), { stream, group }],
      ),
    retried: ({ stream, group }) => counts(['sluice_bus_retried_total', 1, { stream, group }]),
    deadLettered: ({ stream, group }) =>
      says('error', 'an entry could not be handled and is a dead letter now', `${stream} ${group}`, [
        'sluice_bus_dead_lettered_total',
        1,
        { stream, group },
      ]),
    lost: ({ stream, group, count }) =>
      says('error', 'entries are lost', `${stream} ${group}`, [
        'sluice_bus_lost_total',
        count,
        { stream, group },
      ]),
    tookOver: ({ stream, group }) => counts(['sluice_bus_took_over_total', 1, { stream, group }]),
    handedOver: ({ stream, group }) => counts(['sluice_bus_handed_over_total', 1, { stream, group }]),
    fenced: ({ stream, group }) =>
      says('warn', 'what a former owner of a partition did was refused', `${stream} ${group}`, [
        'sluice_bus_fenced_total',
        1,
        { stream, group },
      ]),
    paused: ({ stream, group }) =>
      says('warn', 'a group is paused; it takes nothing until it is resumed', `${stream} ${group}`),
    resumed: ({ stream, group }) => says('warn', 'a group that was paused goes on', `${stream} ${group}`),
    trimmed: ({ stream, count }) => counts(['sluice_bus_trimmed_total', count, { stream }]),
    // One server that is away disturbs everything that waits for it.
    disturbed: ({ where, passing }) =>
      says('warn', 'the bus was disturbed; it goes on by itself', passing ? 'server' : where, [
        'sluice_bus_disturbed_total',
        1,
      ]),
  },
  locks: {
    acquired: ({ waitedMs }) =>
      counts(['sluice_locks_acquired_total', 1], ['sluice_locks_wait_seconds_total', seconds(waitedMs)]),
    waiting: () => counts(),
    // Taken by another is everyday; no server to ask is not.
    refused: ({ reason }) =>
      reason === 'taken'
        ? counts(['sluice_locks_refused_total', 1, { reason }])
        : says('warn', 'no lock could be had: its servers do not answer', reason, [
            'sluice_locks_refused_total',
            1,
            { reason },
          ]),
    extended: () => counts(['sluice_locks_extended_total', 1]),
    lost: ({ reason }) =>
      says('error', 'a lock was lost before its work was done', reason, [
        'sluice_locks_lost_total',
        1,
        { reason },
      ]),
    released: ({ heldMs }) =>
      counts(['sluice_locks_released_total', 1], ['sluice_locks_held_seconds_total', seconds(heldMs)]),
    disturbed: ({ server }) =>
      says('warn', 'a lock server did not answer', String(server), [
        'sluice_locks_disturbed_total',
        1,
        { server: String(server) },
      ]),
  },
  cache: CACHE_RULES,
  database: {
    done: ({ kind, waitedMs, tookMs }) =>
      counts(
        ['sluice_database_transactions_total', 1, { kind }],
        ['sluice_database_transaction_seconds_total', seconds(tookMs), { kind }],
        ['sluice_database_wait_seconds_total', seconds(waitedMs), { kind }],
      ),
    retried: ({ kind }) => counts(['sluice_database_retried_total', 1, { kind }]),
    failed: ({ kind }) => counts(['sluice_database_failed_total', 1, { kind }]),
    afterCommitFailed: () =>
      says('warn', 'work after a commit failed; the sweep does it again', 'after', [
        'sluice_database_disturbed_total',
        1,
      ]),
    disturbed: () =>
      says('warn', 'a database connection broke', 'database', ['sluice_database_disturbed_total', 1]),
  },
  jobs: {
    completed: ({ job, tookMs }) =>
      counts(
        ['sluice_jobs_completed_total', 1, { job }],
        ['sluice_jobs_seconds_total', seconds(tookMs), { job }],
      ),
    // The job queue itself logs this with its stack.
    failed: ({ job }) => counts(['sluice_jobs_failed_total', 1, { job }]),
    stalled: ({ queue }) =>
      says('warn', 'the worker of a job fell silent; another runs it', queue, [
        'sluice_jobs_stalled_total',
        1,
        { queue },
      ]),
    disturbed: ({ where }) =>
      says('warn', 'a job queue was disturbed; it goes on by itself', where, [
        'sluice_jobs_disturbed_total',
        1,
      ]),
  },
  cutover: {
    learned: ({ feature, to }) =>
      says('warn', 'the phase or the revision of a feature has changed', `${feature} ${to}`, [
        'sluice_cutover_changes_total',
        1,
        { feature },
      ]),
    steppedBack: ({ feature }) =>
      says('error', 'reads of both stores differed; the feature was put back', feature, [
        'sluice_cutover_stepped_back_total',
        1,
        { feature },
      ]),
    compared: ({ feature, result }) => counts(['sluice_cutover_compared_total', 1, { feature, result }]),
    skipped: ({ feature }) => counts(['sluice_cutover_skipped_total', 1, { feature }]),
    unread: ({ feature }) =>
      says('warn', 'a read could not be compared', feature, ['sluice_cutover_unread_total', 1, { feature }]),
    blind: () =>
      says('warn', 'the phases of features cannot be read; the last known ones stay', 'blind', [
        'sluice_cutover_blind_total',
        1,
      ]),
    sighted: () => says('warn', 'the phases of features can be read again', 'sighted'),
    disturbed: ({ where }) =>
      says('warn', 'the cut-over engine was disturbed; it goes on by itself', where, [
        'sluice_cutover_disturbed_total',
        1,
      ]),
  },
  market: {
    accepted: ({ from, count }) => counts(['sluice_market_accepted_total', count, { from }]),
    rejected: ({ from, reason, count }) => counts(['sluice_market_rejected_total', count, { from, reason }]),
    lost: ({ reason, count }) =>
      says('error', 'channel messages could not be published and are gone', reason, [
        'sluice_market_lost_total',
        count,
        { reason },
      ]),
    unkept: ({ count }) =>
      says('warn', 'rejected messages could not be kept', 'unkept', ['sluice_market_unkept_total', count]),
    waiting: () => says('warn', 'publishing waits', 'waiting', ['sluice_market_waits_total', 1]),
  },
  detector: {
    refused: ({ reason, venue }) => counts(['sluice_arbitrage_quotes_refused_total', 1, { reason, venue }]),
    opened: ({ symbol }) => counts(['sluice_arbitrage_opened_total', 1, { symbol }]),
    closed: ({ symbol, reason }) => counts(['sluice_arbitrage_closed_total', 1, { symbol, reason }]),
  },
  arbitrage: {
    executed: ({ outcome, tookMs }) =>
      counts(
        ['sluice_arbitrage_executed_total', 1, { outcome }],
        ['sluice_arbitrage_execute_seconds_total', seconds(tookMs), { outcome }],
      ),
    refused: ({ code }) => counts(['sluice_arbitrage_refused_total', 1, { reason: code }]),
    unwound: ({ symbol }) =>
      says('warn', 'one leg filled and the other not: the difference was traded back', symbol, [
        'sluice_arbitrage_unwound_total',
        1,
        { symbol },
      ]),
    ambiguous: ({ venue }) =>
      says('warn', 'a venue did not say what became of an order; it is asked again', venue, [
        'sluice_arbitrage_ambiguous_total',
        1,
        { venue },
      ]),
    exposed: ({ symbol }) =>
      says('error', 'a difference between two legs stays open', symbol, [
        'sluice_arbitrage_exposed_total',
        1,
        { symbol },
      ]),
    recovered: () => counts(['sluice_arbitrage_recovered_total', 1]),
    postponed: ({ symbol }) =>
      says('warn', 'an execution stays pending and is tried again', symbol, [
        'sluice_arbitrage_postponed_total',
        1,
      ]),
  },
  ledger: {
    booked: ({ kind, tookMs }) =>
      counts(
        ['sluice_ledger_booked_total', 1, { kind }],
        ['sluice_ledger_book_seconds_total', seconds(tookMs), { kind }],
      ),
    duplicate: ({ kind }) => counts(['sluice_ledger_duplicates_total', 1, { kind }]),
    mismatch: ({ symbol }) =>
      says('error', 'an event contradicts the books', symbol, ['sluice_ledger_mismatches_total', 1]),
    // The job itself logs each difference.
    differing: ({ what, count }) => counts(['sluice_ledger_differences_total', count, { what }]),
  },
  funding: FUNDING_RULES,
  insights: {
    booked: ({ kind, tookMs }) =>
      counts(
        ['sluice_insights_booked_total', 1, { kind }],
        ['sluice_insights_book_seconds_total', seconds(tookMs), { kind }],
      ),
    passed: ({ kind, reason }) => counts(['sluice_insights_passed_total', 1, { kind, reason }]),
  },
  candles: CANDLE_RULES,
  ticks: TICK_RULES,
  projections: PROJECTION_RULES,
}
