// `sluice cache`: what is cached in Redis, and how a person drops it.
import { dropTag, inspectCache, inspectEntry, spotOf, type View, type ViewKey } from '../cache/index.ts'
import { VIEWS } from '../catalog/index.ts'
import { isSluiceError, SluiceError, systemClock } from '../kernel/index.ts'
import { closeRedis, connectRedis, type Redis, ready } from '../redis/index.ts'
import { confirm } from './confirm.ts'
import { withPlatform } from './connection.ts'
import { runningConfig } from './running-config.ts'
import { type Terminal, table } from './terminal.ts'

export interface CacheOptions {
  readonly json?: boolean
  readonly tag?: string
  readonly all?: boolean
  readonly yes?: boolean
}

// A connection that has just been opened is no longer waited for than an answer; a person can wait.
const TRIES = 30
const TRY_MS = 100

export async function showCache(terminal: Terminal): Promise<void> {
  const facts = await withCache(inspectCache)
  if (terminal.json) return terminal.result(facts, '')
  const rows = facts.views.map(({ view, answers, loading, failed }) => [view, answers, loading, failed])
  const head = `epoch ${facts.epoch || '(none yet)'}, ${facts.told} drops told, ${facts.tags} tags`
  const body = rows.length === 0 ? 'no answers' : table(['view', 'answers', 'loading', 'failed'], rows)
  terminal.result(facts, `${head}\n${body}`)
}

/** Throws USAGE for a view or key that there is not. */
export async function showEntry(name: string, parts: readonly string[], terminal: Terminal): Promise<void> {
  const spot = spotNamed(name, parts)
  const { place, version } = spot
  const entry = await withCache((client) => inspectEntry(client, spot))
  if (!entry) return terminal.result({ place, found: false }, `${place} is not in Redis`)
  const { value, freshMs, leftMs, leaseMs, error } = entry
  terminal.result({ place, version, found: true, ...entry }, () =>
    [
      `${place}, version ${version}`,
      value === undefined ? 'no answer yet' : `fresh for ${freshMs} ms, kept for ${leftMs} ms`,
      ...(leaseMs > 0 ? [`being loaded, by nobody else for ${leaseMs} ms`] : []),
      ...(error === undefined ? [] : [`failed: ${error}`]),
      ...(value === undefined ? [] : [value === '' ? '(undefined)' : value]),
    ].join('\n'),
  )
}

/** Throws USAGE unless exactly one thing is named, and when nobody says yes to dropping everything. */
export async function invalidate(
  name: string | undefined,
  parts: readonly string[],
  { tag, all = false, yes = false }: CacheOptions,
  terminal: Terminal,
): Promise<void> {
  if ([name, tag, all || undefined].filter((one) => one !== undefined).length !== 1) {
    throw new SluiceError('USAGE', 'Name one thing: a view with its key, --tag <tag>, or --all.')
  }
  if (all && !(await confirm('Drop every cached answer, in every process?', yes))) {
    return terminal.note('nothing was changed')
  }
  const place = name === undefined ? undefined : spotNamed(name, parts).place
  await withPlatform(({ views }) =>
    insist(async () => {
      if (all) await views.dropEverything()
      else await views.drop([place === undefined ? dropTag(tag!) : { place }])
    }),
  )
  const what = all ? 'everything' : (place ?? `tag ${tag}`)
  terminal.result({ dropped: what }, `dropped ${what} in every process`)
}

function spotNamed(name: string, parts: readonly string[]) {
  const view = (VIEWS as unknown as readonly View<ViewKey, unknown>[]).find((one) => one.name === name)
  if (!view) {
    const allowed = VIEWS.map((one) => one.name).join(', ')
    throw new SluiceError(
      'USAGE',
      `There is no view ${JSON.stringify(name.slice(0, 60))}; allowed: ${allowed}.`,
    )
  }
  if (parts.length !== view.parts.length) {
    const wanted = view.parts.map((part) => `<${part}>`).join(' ') || 'nothing'
    throw new SluiceError('USAGE', `The key of ${name} is ${wanted}; ${parts.length} parts were given.`)
  }
  return spotOf(view, parts)
}

export async function withCache<T>(work: (client: Redis) => Promise<T>): Promise<T> {
  const { REDIS_URL, REDIS_CACHE_URL } = runningConfig()
  const client = connectRedis(REDIS_CACHE_URL || REDIS_URL, 'writer', { name: 'cache' })
  try {
    await ready(client)
    return await work(client)
  } finally {
    await closeRedis(client)
  }
}

/** A command waits longer for Redis than an answer may. */
export async function insist(work: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await work()
      return
    } catch (error) {
      if (attempt === TRIES || !isSluiceError(error, 'REDIS_UNAVAILABLE')) throw error
      await systemClock.sleep(TRY_MS)
    }
  }
}
