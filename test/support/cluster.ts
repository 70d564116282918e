// Three masters that share the slots, on free ports, joined by hand: redis-cli --cluster takes several seconds. A
// server that starts in a cluster takes writes after 2 s at the earliest, so a file starts one for all its tests.
import { closeRedis, connectRedis, nodesOf, type RedisNode, ready } from '../../src/redis/index.ts'
import { eventually } from './eventually.ts'
import { startRedis, type TestRedis } from './redis.ts'

export interface TestCluster {
  /** redis+cluster://… */
  readonly url: string
  /** Masters at first, each with a third of the slots. */
  readonly masters: readonly TestRedis[]
  /** Of the first master; undefined unless it was asked for. */
  readonly replica: TestRedis | undefined
  /** One command to one of the servers. */
  tell(server: TestRedis, command: string, ...args: (string | number)[]): Promise<unknown>
  /** Moves a slot (without keys) to another master. */
  moveSlot(slot: number, to: TestRedis): Promise<void>
  stop(): Promise<void>
}

const SLOTS = 16_384
const MASTERS = 3
/** The bus between the nodes listens so much higher. */
const BUS = 10_000
const OPTIONS = [
  '--cluster-enabled',
  'yes',
  '--cluster-config-file',
  'nodes.conf',
  '--cluster-node-timeout',
  '1000',
  '--repl-diskless-sync-delay',
  '0',
]

export async function startCluster({ replica = false } = {}): Promise<TestCluster> {
  const count = MASTERS + (replica ? 1 : 0)
  const servers = await Promise.all(Array.from({ length: count }, () => startRedis(OPTIONS, BUS)))
  const clients = servers.map(({ url }) => connectRedis(url, 'writer'))
  await Promise.all(clients.map((client) => ready(client)))
  const nodes = clients.map((client) => nodesOf(client)[0]!)
  const tell = (server: TestRedis, command: string, ...args: (string | number)[]) =>
    nodes[servers.indexOf(server)]!.call(command, ...args)
  await join(nodes, servers)
  const masters = servers.slice(0, MASTERS)
  if (replica) await replicate(nodes[MASTERS]!, nodes[0]!)
  return {
    url: `redis+cluster://${masters.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    masters,
    replica: servers[MASTERS],
    tell,
    async moveSlot(slot, to) {
      const id = String(await tell(to, 'cluster', 'myid'))
      // The newest claim wins: a word of the old owner that is still on its way must not take the slot back.
      await tell(to, 'cluster', 'bumpepoch')
      // The new owner first: a slot must never be without one.
      for (const master of [to, ...masters.filter((one) => one !== to)]) {
        await tell(master, 'cluster', 'setslot', slot, 'node', id)
      }
    },
    async stop() {
      await Promise.all(clients.map(closeRedis))
      await Promise.all(servers.map((server) => server.stop()))
    },
  }
}

async function join(nodes: readonly RedisNode[], servers: readonly TestRedis[]): Promise<void> {
  await Promise.all(
    nodes.map(async (node, i) => {
      await node.call('cluster', 'set-config-epoch', i + 1)
      if (i >= MASTERS) return
      const first = Math.ceil((i * SLOTS) / MASTERS)
      const next = Math.ceil(((i + 1) * SLOTS) / MASTERS)
      await node.call('cluster', 'addslots', ...Array.from({ length: next - first }, (_, n) => first + n))
    }),
  )
  for (const { port } of servers.slice(1)) await nodes[0]!.call('cluster', 'meet', '127.0.0.1', port)
  const isWhole = async (node: RedisNode) => {
    const info = String(await node.call('cluster', 'info'))
    return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${servers.length}`)
  }
  await eventually(async () => (await Promise.all(nodes.map(isWhole))).every(Boolean), {
    what: 'a whole cluster',
  })
}

async function replicate(replica: RedisNode, master: RedisNode): Promise<void> {
  const id = String(await master.call('cluster', 'myid'))
  await eventually(() => replica.call('cluster', 'replicate', id).then(() => true))
  await eventually(async () => String(await replica.info('replication')).includes('master_link_status:up'), {
    what: 'a replica that follows',
  })
  // Known as a replica to the master as well: only then may it be elected.
  await eventually(async () => String(await master.call('cluster', 'nodes')).includes(' slave '))
}
