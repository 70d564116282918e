// `sluice cache warm` and `verify`: fills Redis before anybody asks, and compares what it holds with the database.
import { type AnySource, verifyCache, type WarmReport } from '../cache/index.ts'
import { WARM_LOCK } from '../catalog/index.ts'
import { SluiceError } from '../kernel/index.ts'
import { allSources, openSources } from '../sources.ts'
import { insist, withCache } from './cache.ts'
import { withPlatform } from './connection.ts'
import { type Terminal, table } from './terminal.ts'

/** Another process may be warming; it takes a moment. */
const WAIT_MS = 30_000

export interface WarmCommand {
  /** Answers a second; the setting where it is not given. */
  readonly rate?: number
}

/** @returns the exit code: 1 when an answer could not be warmed. Throws USAGE for a view that nobody warms. */
export function warmCache(
  names: readonly string[],
  { rate }: WarmCommand,
  terminal: Terminal,
): Promise<number> {
  return withPlatform(async ({ views, locks, database, config }) => {
    const sources = named(allSources(openSources(database)), names)
    await insist(() => views.isWarmed())
    const led = await locks.hold(
      WARM_LOCK,
      ({ signal }) =>
        views.warm(sources, {
          ...{ perSecond: rate ?? config.CACHE_WARM_RATE, signal },
          onProgress: (report) => terminal.note(progressOf(report), 'progress', { ...report }),
        }),
      { waitMs: WAIT_MS },
    )
    if (!led.held) {
      const why = led.reason === 'taken' ? 'another process warms' : 'no lock can be had'
      throw new SluiceError('CACHE_NOT_WARMED', `The cache was not warmed: ${why}.`)
    }
    const reports = led.value
    terminal.result({ reports }, () =>
      table(
        ['view', 'keys', 'warmed', 'skipped', 'refused', 'failed', 'ms', ''],
        reports.map((one) => [
          ...[one.view, one.keys, one.warmed, one.skipped, one.refused, one.failed],
          ...[Math.round(one.tookMs), one.reason ?? ''],
        ]),
      ),
    )
    return reports.some(({ reason }) => reason !== undefined) ? 1 : 0
  })
}

const progressOf = ({ view, keys, warmed, skipped }: WarmReport) => `${view}: ${warmed + skipped} of ${keys}`

function named(sources: readonly AnySource[], names: readonly string[]): readonly AnySource[] {
  const warm = sources.filter((source) => source.warm)
  const unknown = names.find((name) => !warm.some(({ view }) => view.name === name))
  if (unknown !== undefined) {
    const allowed = warm.map(({ view }) => view.name).join(', ')
    throw new SluiceError(
      'USAGE',
      `No view ${JSON.stringify(unknown.slice(0, 60))} is warmed; allowed: ${allowed}.`,
    )
  }
  return names.length === 0 ? warm : warm.filter(({ view }) => names.includes(view.name))
}

/** @returns the exit code: 1 when an answer is wrong or its source could not be read. */
export function verifyAnswers(terminal: Terminal): Promise<number> {
  return withPlatform(async ({ database, clock }) => {
    const sources = allSources(openSources(database))
    const report = await withCache((client) => verifyCache({ client, sources, clock }))
    const { answers, equal, changed, passedOver, unread, wrong, reason } = report
    terminal.result(report, () =>
      [
        `${answers} answers: ${equal} equal, ${changed} changed meanwhile, ${passedOver} not compared, ${unread} unread, ${wrong.length} wrong`,
        ...(reason === undefined ? [] : [`unread: ${reason}`]),
        ...wrong.map(({ view, key, cached, source }) =>
          [
            `wrong: ${[view, ...key].join(' ')}`,
            `  cached ${short(cached)}`,
            `  source ${short(source)}`,
          ].join('\n'),
        ),
      ].join('\n'),
    )
    return wrong.length > 0 || unread > 0 ? 1 : 0
  })
}

const SHOWN_MAX = 300
const short = (text: string) => (text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text)
