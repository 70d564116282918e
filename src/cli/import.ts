// `sluice import`: files into the stores of ticks, candles and conversations.
import {
  type CandleImportReport,
  type Dividend,
  INTERVALS,
  type Interval,
  openCandleImport,
  openSqlCandles,
  type PurgePlan,
  planPurge,
  tellChange,
} from '../candles/index.ts'
import {
  type ImportKind,
  type ImportOptions,
  type ImportResult,
  listImportFiles,
  runImport,
} from '../imports/index.ts'
import { ANSWER_BYTES_MAX, openConversationImport } from '../insights/index.ts'
import { isoTime, SluiceError } from '../kernel/index.ts'
import type { Platform } from '../platform.ts'
import { openTickImport } from '../ticks/index.ts'
import { beginFeatures } from './begin-features.ts'
import { withPlatform } from './connection.ts'
import { duration, megabytes, openProgressLine, whole } from './progress-line.ts'
import { type StopSignal, stopSignal } from './stop-signal.ts'
import { type Terminal, table } from './terminal.ts'

export interface ImportArguments {
  readonly json?: boolean
  readonly dryRun?: boolean
  readonly fromStart?: boolean
}

export interface TickImportArguments extends ImportArguments {
  readonly jumpPct: number
}

export interface CandleImportArguments extends ImportArguments {
  readonly source: string
  readonly interval?: string
  readonly scale: number
  readonly strict?: boolean
}

export type ExitCode = 0 | 1

/** Answers the exit code: 1 when it was stopped, or a file could not be read to its end. */
export async function importTicks(
  path: string,
  { jumpPct, ...options }: TickImportArguments,
  terminal: Terminal,
  listen = stopSignal,
): Promise<ExitCode> {
  const files = await listImportFiles(path)
  return withPlatform(async (platform) => {
    const store = options.dryRun ? undefined : platform.ticks
    const parts = openTickImport({ store, clock: platform.clock, jumpPct })
    const job: Job = { kind: 'ticks', files, settings: { jumpPct }, ...parts }
    const result = await run(platform, job, options, { terminal, listen })
    return tell({ kind: 'ticks', path, ...result }, options, terminal)
  })
}

export async function importCandles(
  path: string,
  { source, interval, scale, strict, ...options }: CandleImportArguments,
  terminal: Terminal,
  listen = stopSignal,
): Promise<ExitCode> {
  const files = await listImportFiles(path, ['csv'])
  return withPlatform(async (platform) => {
    const { database, clock } = platform
    const store = options.dryRun
      ? undefined
      : openSqlCandles({
          database,
          clock,
          onChanged: (tx, change) => tellChange(tx, change, 'files', clock.now()),
        })
    const { report: reportOf, ...parts } = openCandleImport({
      ...{ store, source, interval: intervalNamed(interval), scale, strict },
    })
    const settings = { source, interval, scale, strict: strict ?? false }
    const job: Job = { kind: 'candles', files, settings, ...parts }
    const result = await run(platform, job, options, { terminal, listen })
    const { dividends, ...report } = reportOf()
    noteReport(report, terminal)
    const keys = dividends.length > 0 ? ((await store?.keys(source)) ?? []) : []
    const adjusted = dividends.map((dividend) => ({ ...dividend, ...planPurge(dividend, keys) }))
    noteAdjusted(adjusted, terminal)
    return tell({ kind: 'candles', path, ...result, report, adjusted }, options, terminal)
  })
}

/** Answers the exit code, as above. */
export async function importConversations(
  path: string,
  options: ImportArguments,
  terminal: Terminal,
  listen = stopSignal,
): Promise<ExitCode> {
  const files = await listImportFiles(path, ['json', 'jsonl'])
  return withPlatform(async (platform) => {
    const database = options.dryRun ? undefined : platform.database
    const parts = openConversationImport({ database, clock: platform.clock })
    const job: Job = { kind: 'conversations', files, objectBytesMax: ANSWER_BYTES_MAX, ...parts }
    const result = await run(platform, job, options, { terminal, listen })
    return tell({ kind: 'conversations', path, ...result }, options, terminal)
  })
}

/** Stored prices and those of the files are of before and after a dividend or a split. */
function noteAdjusted(adjusted: Adjusted, terminal: Terminal): void {
  if (terminal.json) return
  for (const { source, ticker, from, to, ratio, purge, isCut } of adjusted) {
    const days = [from, to].map((day) => isoTime(day).slice(0, 10)).join(' to ')
    terminal.note(
      `${source} ${ticker}: prices were adjusted, days from ${days} by ${ratio.toFixed(4)} and the like`,
    )
    if (isCut) terminal.note('  days in front of the file have the old prices: import the whole history')
    if (purge.length > 0) {
      const intervals = purge.join(',')
      terminal.note(
        `  the old prices stay in: sluice candles purge ${ticker} --source ${source} --interval ${intervals}`,
      )
    }
  }
}

export type Job = Pick<
  ImportOptions,
  'kind' | 'files' | 'settings' | 'take' | 'wrongWith' | 'subjectOf' | 'onFileEnd' | 'objectBytesMax'
>

/** Runs it with progress and Ctrl-C. */
export async function run(
  platform: Platform,
  job: Job,
  { dryRun = false, fromStart = false }: ImportArguments,
  { terminal, listen }: { terminal: Terminal; listen: () => StopSignal },
): Promise<ImportResult> {
  const { database, clock } = platform
  if (!dryRun) await beginFeatures(platform, ...FEATURES[job.kind])
  const stop = listen()
  const progress = openProgressLine(terminal)
  try {
    const { signal } = stop
    const onOtherwise = (files: number) => terminal.note(otherwiseText(files), 'otherwise', { files })
    const listeners = { signal, onOtherwise, onProgress: progress.show }
    return await runImport({ ...job, ...listeners, database, clock, dryRun, fromStart })
  } finally {
    progress.end()
    stop.release()
  }
}

/** What has two stores while a cut-over is under way. */
const FEATURES = { ticks: ['ticks'], candles: ['candles'], funding: [], conversations: [] } as const

const otherwiseText = (files: number) =>
  `begun with other options before, or changed since: ${whole(files)} files; this import begins them at their start`

type Adjusted = readonly (Dividend & PurgePlan)[]

interface Told extends ImportResult {
  readonly kind: ImportKind
  readonly path: string
  readonly report?: unknown
  readonly adjusted?: Adjusted
}

/** For a person; a program finds it in the result. */
function noteReport(
  { flagged, superseded, unaligned, columns }: Omit<CandleImportReport, 'dividends'>,
  terminal: Terminal,
) {
  if (terminal.json) return
  const kept = Object.entries(flagged).filter(([, count]) => count > 0)
  for (const [flag, count] of kept)
    terminal.note(`kept although ${flag} (--strict puts them aside): ${whole(count)}`)
  if (superseded > 0) terminal.note(`given again by a later line, which counts: ${whole(superseded)}`)
  if (unaligned > 0)
    terminal.note(`begin elsewhere than bars of their interval, and keep their time: ${whole(unaligned)}`)
  const { compared, different, absent, left } = columns
  if (left > 0)
    terminal.note(`computed columns not compared, too many tickers take turns: ${whole(left)} lines`)
  if (compared + absent === 0) return
  terminal.note(
    `computed columns: ${whole(compared)} compared, ${whole(different)} differ, ${whole(absent)} absent`,
  )
}

/** Says what came of it; answers the exit code. */
export function tell(result: Told, { dryRun = false }: ImportArguments, terminal: Terminal): ExitCode {
  const { failed, stopped } = result
  for (const { problem } of failed) terminal.note(problem, 'failed')
  terminal.result({ ...result, dryRun }, () => textOf(result, dryRun))
  if (stopped) terminal.note('stopped; the same command goes on where this one was', 'stopped')
  return stopped || failed.length > 0 ? 1 : 0
}

function textOf({ read, stored, duplicate, quarantined, examples, bytes, tookMs }: Told, dryRun: boolean) {
  const counts = Object.entries(quarantined).sort(([, a], [, b]) => b - a)
  const aside = counts.reduce((sum, [, count]) => sum + count, 0)
  const taken = dryRun ? `${whole(stored)} to store` : `${whole(stored)} stored`
  const head = `${whole(read)} read: ${taken}, ${whole(duplicate)} there already, ${whole(aside)} quarantined`
  const pace = `${megabytes(bytes)} in ${duration(tookMs)}`
  if (counts.length === 0) return `${head}  (${pace})`
  const rows = counts.map(([reason, count]) => {
    const first = examples.find((example) => example.reason === reason)
    const place = first ? `${first.path} at byte ${first.offset}: ${first.detail}` : ''
    return [reason, count, place]
  })
  return `${head}  (${pace})\n\n${table(['reason', 'count', 'first'], rows)}`
}

function intervalNamed(name: string | undefined): Interval | undefined {
  const interval = INTERVALS.find((one) => one === name)
  if (interval || name === undefined) return interval
  throw new SluiceError('USAGE', `There is no interval ${name}; allowed: ${INTERVALS.join(', ')}.`, { name })
}
