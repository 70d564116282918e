// The address of a Redis: one server, a master under Sentinel, or a cluster. The notation is the one that clients of
// several languages share (`redis+sentinel://`, `redis+cluster://`); docs/REDIS.md has it in full.

export interface RedisHost {
  readonly host: string
  readonly port: number
}

interface Access {
  readonly username: string | undefined
  readonly password: string | undefined
  readonly tls: boolean
  readonly hosts: readonly RedisHost[]
}

export type RedisPlace =
  | (Access & { readonly kind: 'single'; readonly db: number })
  | (Access & {
      readonly kind: 'sentinel'
      readonly db: number
      /** The master's name, as the sentinels know it. */
      readonly service: string
      readonly sentinelUsername: string | undefined
      readonly sentinelPassword: string | undefined
    })
  | (Access & { readonly kind: 'cluster' })

const SHAPE =
  /^redis(?<tls>s?)(?:\+(?<kind>sentinel|cluster))?:\/\/(?:(?<access>[^/?#]*)@)?(?<hosts>[^/?#@]+)(?<path>\/[^?#]*)?(?:\?(?<query>[^#]*))?$/
const HOST = /^(?:\[(?<v6>[^\]]+)\]|(?<name>[^:[\]\s]+))(?::(?<port>\d{1,5}))?$/

/** Throws an Error that says what is wrong with it; never shows a password. */
export function parseRedisUrl(url: string): RedisPlace {
  const parts = SHAPE.exec(url.trim())?.groups
  if (!parts) throw new Error('redis://host:6379, redis+sentinel://hosts/master or redis+cluster://hosts')
  const kind = parts['kind'] ?? 'single'
  const query = new URLSearchParams(parts['query'] ?? '')
  const path = (parts['path'] ?? '').split('/').slice(1).filter(Boolean).map(decodeURIComponent)
  const access = {
    ...credentials(parts['access'] ?? ''),
    tls: parts['tls'] === 's',
    hosts: hostsOf(parts['hosts']!, kind === 'sentinel' ? 26_379 : 6_379),
  }
  if (kind === 'cluster') {
    if (path.length > 0 || query.size > 0)
      throw new Error('a cluster has neither database numbers nor options')
    return { kind, ...access }
  }
  if (kind === 'sentinel') {
    const [service, ...rest] = path
    if (!service) throw new Error('the name of the master is missing: redis+sentinel://host:26379/<master>')
    demandOptions(query, ['db', 'sentinel_username', 'sentinel_password'])
    const sentinelUsername = query.get('sentinel_username') ?? undefined
    const sentinelPassword = query.get('sentinel_password') ?? undefined
    return { kind, ...access, service, db: database(rest, query), sentinelUsername, sentinelPassword }
  }
  if (access.hosts.length > 1) throw new Error('several hosts are redis+sentinel:// or redis+cluster://')
  return { kind: 'single', ...access, db: database(path, query) }
}

/** A list of addresses, each of which may hold commas of its own. */
export const splitRedisUrls = (list: string): string[] =>
  list.split(/,(?=\s*(?:[a-z][\w+.-]*:\/\/|$))/).map((url) => url.trim())

/** For messages: what stands there and where to find it, without a password. */
export function redisPlaceText(place: RedisPlace): string {
  const hosts = place.hosts.map(({ host, port }) => `${host}:${port}`).join(',')
  if (place.kind === 'single') return hosts
  return place.kind === 'cluster' ? `cluster ${hosts}` : `${place.service} of sentinels ${hosts}`
}

function credentials(text: string): Pick<Access, 'username' | 'password'> {
  const colon = text.indexOf(':')
  const [name, word] = colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)]
  return { username: decodeURIComponent(name) || undefined, password: decodeURIComponent(word) || undefined }
}

function hostsOf(list: string, standardPort: number): RedisHost[] {
  return list.split(',').map((text) => {
    const parts = HOST.exec(text.trim())?.groups
    const port = Number(parts?.['port'] ?? standardPort)
    if (!parts || port < 1 || port > 65_535) throw new Error('each host is host:port, separated by commas')
    return { host: parts['v6'] ?? parts['name']!, port }
  })
}

function database(path: readonly string[], query: URLSearchParams): number {
  const text = query.get('db') ?? path[0] ?? '0'
  if (path.length > 1 || !/^\d{1,4}$/.test(text)) throw new Error('the database is no number')
  return Number(text)
}

function demandOptions(query: URLSearchParams, known: readonly string[]): void {
  for (const name of query.keys()) {
    if (!known.includes(name)) throw new Error(`the option ${name} is unknown; known: ${known.join(', ')}`)
  }
}
