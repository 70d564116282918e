// The Redis of a chaos run: a master with AOF and a replica of it. The master can be killed, frozen and replaced by its
// replica; then a fresh replica is attached.
import { closeRedis, connectRedis, type Redis, ready } from '../../src/redis/index.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'

// `everysec` puts off a write while an fsync is under way, and a kill in that moment loses what was already answered:
// that is a weakness of Redis, not of the bus. With `no` every write is with the kernel before its answer, and outlives
// the process as the writes of `everysec` mostly do.
const SETTINGS = ['--appendfsync', 'no', '--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1']

export interface Servers {
  readonly port: () => number
  readonly master: () => TestRedis
  readonly replica: () => TestRedis | undefined
  /** True when the replica has everything that was confirmed and would survive a kill of its own. */
  isInSync(): Promise<boolean>
  /** The replica becomes the master. The former one stays as it is; `retire` ends it. */
  promote(): Promise<TestRedis>
  attachReplica(): Promise<void>
  stop(): Promise<void>
}

export async function startServers(replicas: number): Promise<Servers> {
  const all = new Set<TestRedis>()
  const start = async () => {
    const server = await startRedis(SETTINGS)
    all.add(server)
    return server
  }
  let master = await start()
  let replica: TestRedis | undefined
  const attachReplica = async () => {
    // By command and not by setting: a server that was promoted starts again as a master.
    const server = await start()
    await ask(server, (client) => client.replicaof('127.0.0.1', master.port))
    replica = server
  }
  if (replicas > 0) await attachReplica()
  return {
    port: () => master.port,
    master: () => master,
    replica: () => replica,
    async isInSync() {
      const server = replica
      return server !== undefined && (await ask(server, async (client) => isFit(await client.info())))
    },
    async promote() {
      const former = master
      await ask(replica!, (client) => client.replicaof('NO', 'ONE'))
      master = replica!
      replica = undefined
      return former
    },
    attachReplica,
    async stop() {
      await Promise.all([...all].map((server) => server.stop()))
    },
  }
}

// A replica that is being filled has thrown away what it had, and one whose log is being written anew would not survive.
const isFit = (info: string) =>
  ['master_link_status:up', 'loading:0', 'master_sync_in_progress:0'].every((line) => info.includes(line)) &&
  ['aof_rewrite_in_progress:0', 'aof_rewrite_scheduled:0'].every((line) => info.includes(line))

async function ask<T>(server: TestRedis, question: (client: Redis) => Promise<T>): Promise<T> {
  const client = connectRedis(server.url, 'writer')
  try {
    await ready(client, 5_000)
    return await question(client)
  } finally {
    await closeRedis(client)
  }
}

export const inSync = (servers: Servers, timeoutMs = 20_000): Promise<boolean> =>
  eventually(() => servers.isInSync(), { timeoutMs, what: 'a replica in sync' })
