// Whether the servers behind an address may be trusted with streams; each verdict says what to do.
import { SluiceError, withoutPassword } from '../kernel/index.ts'
import type { NodeFacts, RedisFacts } from './inspect-redis.ts'

/** XAUTOCLAIM and GETEX came with 6.2. */
const LEAST_VERSION = '6.2.0'

/** Throws REDIS_UNFIT when messages would not be safe there; answers warnings. */
export function judgeRedis(url: string, facts: RedisFacts): string[] {
  const at = withoutPassword(url)
  judgeTopology(at, facts)
  for (const node of facts.nodes) judgeNode(node)
  return [
    ...facts.silent.map((why) => `a replica did not answer: ${why}`),
    ...facts.nodes.flatMap((node) => warningsOf(node, facts.topology)),
  ]
}

/** What was found, in one line. */
export function describeRedis({ topology, nodes }: RedisFacts): string {
  const masters = nodes.filter(({ role }) => role === 'master').length
  const replicas = nodes.length - masters
  const found = {
    single: 'one server',
    sentinel: `a master under Sentinel with ${count(replicas, 'replica')}`,
    cluster: `a cluster of ${count(masters, 'master')} and ${count(replicas, 'replica')}`,
  }[topology]
  const versions = [...new Set(nodes.map(({ version }) => version))].sort(compareVersions)
  const policies = [...new Set(nodes.map(({ policy }) => policy))].join(', ')
  const aof = nodes.every((node) => node.aof) ? 'on' : nodes.some((node) => node.aof) ? 'on some' : 'off'
  return `${found}, version ${versions.join(' to ')}, ${policies}, AOF ${aof}`
}

const count = (many: number, what: string) => `${many} ${what}${many === 1 ? '' : 's'}`

function judgeTopology(at: string, { topology, nodes: [first], state }: RedisFacts): void {
  const unfit = (what: string, advice: string) => {
    throw new SluiceError('REDIS_UNFIT', `Redis at ${at} ${what}; ${advice}.`, { where: at })
  }
  if (first.mode === 'sentinel')
    unfit('is a sentinel', 'write redis+sentinel://host:26379/<name of the master>')
  if (topology !== 'cluster' && first.mode === 'cluster') {
    unfit('is a node of a cluster', 'write redis+cluster://host:6379')
  }
  if (topology === 'single' && first.role === 'replica') {
    unfit(
      'is a replica and takes no writes',
      'name its master, or the sentinels: redis+sentinel://host:26379/<master>',
    )
  }
  if (state !== 'ok') {
    unfit(
      `is a cluster in the state ${state}`,
      'see which slots have no master: redis-cli --cluster check host:port',
    )
  }
}

function judgeNode({ where, version, policy }: NodeFacts): void {
  if (compareVersions(version, LEAST_VERSION) < 0) {
    const message = `Redis at ${where} is version ${version}; Sluice needs ${LEAST_VERSION} or newer.`
    throw new SluiceError('REDIS_UNFIT', message, { where, version })
  }
  if (policy !== 'noeviction') {
    const advice = 'set it to noeviction: redis-cli config set maxmemory-policy noeviction'
    const message = `Redis at ${where} has maxmemory-policy ${policy} and may drop messages; ${advice}`
    throw new SluiceError('REDIS_UNFIT', message, { where, policy })
  }
}

function warningsOf(
  { where, aof, fsync, role, replicas, demandsReplicas }: NodeFacts,
  topology: RedisFacts['topology'],
): string[] {
  const warnings: string[] = []
  if (!aof) {
    warnings.push(
      `Redis at ${where} has no AOF: a crash of the server loses what came since its last save (redis-cli config set appendonly yes)`,
    )
  }
  if (aof && fsync !== undefined && fsync !== 'always') {
    warnings.push(
      `Redis at ${where} has appendfsync ${fsync}: a crash may lose what it confirmed in the last seconds (redis-cli config set appendfsync always)`,
    )
  }
  if (topology !== 'single' && role === 'master' && replicas.length > 0 && !demandsReplicas) {
    warnings.push(
      `Redis at ${where} goes on taking writes when it is cut off from its replicas, and a failover loses them (redis-cli config set min-replicas-to-write 1, and REDIS_WAIT_REPLICAS=1)`,
    )
  }
  return warnings
}

/** Negative when `a` is older than `b`. */
function compareVersions(a: string, b: string): number {
  const parts = (version: string) => version.split('.').map((part) => Number.parseInt(part, 10) || 0)
  const [left, right] = [parts(a), parts(b)]
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
