// A master, its replica and the sentinels that watch them, on free ports. A failover takes one to three seconds.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { closeRedis, connectRedis, nodesOf, ready } from '../../src/redis/index.ts'
import { eventually } from './eventually.ts'
import { endProgram, freePort, launchProgram, startRedis, type TestRedis } from './redis.ts'

export interface TestSentinel {
  /** redis+sentinel://… */
  readonly url: string
  /** The sentinels' own ports. */
  readonly sentinels: readonly number[]
  readonly master: TestRedis
  readonly replica: TestRedis
  /** The port of the server that the sentinels take for the master now. */
  masterPort(): Promise<number>
  stop(): Promise<void>
}

const SERVICE = 'main'

export async function startSentinel({ sentinels = 1 }: { sentinels?: number } = {}): Promise<TestSentinel> {
  const master = await startRedis(['--repl-diskless-sync-delay', '0'])
  const replica = await startRedis(['--replicaof', '127.0.0.1', String(master.port)])
  // Sentinels ask a master for its replicas every 10 s, and a replica how it does: both must be there at the first.
  await follows(replica)
  const folder = await mkdtemp(join(tmpdir(), 'sluice-sentinel-'))
  const quorum = Math.floor(sentinels / 2) + 1
  const watchers = await Promise.all(
    Array.from({ length: sentinels }, (_, i) => launch(folder, i, master.port, quorum)),
  )
  const ports = watchers.map(({ port }) => port)
  const url = `redis+sentinel://${ports.map((port) => `127.0.0.1:${port}`).join(',')}/${SERVICE}`
  await eventually(() => ask(ports[0]!, watches(sentinels - 1)), {
    what: 'a sentinel that knows the replica',
  })
  return {
    url,
    sentinels: ports,
    master,
    replica,
    masterPort: () =>
      ask(ports[0]!, async (call) =>
        Number(((await call('get-master-addr-by-name', SERVICE)) as string[])[1]),
      ),
    async stop() {
      await Promise.all(watchers.map(({ child }) => endProgram(child, 'SIGKILL')))
      await Promise.all([master.stop(), replica.stop(), rm(folder, { recursive: true, force: true })])
    },
  }
}

async function launch(folder: string, i: number, masterPort: number, quorum: number) {
  const port = await freePort()
  const file = join(folder, `${i}.conf`)
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor ${SERVICE} 127.0.0.1 ${masterPort} ${quorum}`,
    `sentinel down-after-milliseconds ${SERVICE} 400`,
    `sentinel failover-timeout ${SERVICE} 3000`,
  ]
  await writeFile(file, `${lines.join('\n')}\n`)
  return { port, child: await launchProgram(port, [file, '--sentinel']) }
}

async function follows({ url }: TestRedis): Promise<void> {
  const client = connectRedis(url, 'writer')
  try {
    await ready(client)
    const isUp = async () => (await client.info('replication')).includes('master_link_status:up')
    await eventually(isUp, { what: 'a replica that follows' })
  } finally {
    await closeRedis(client)
  }
}

type Call = (...args: string[]) => Promise<unknown>

/** A sentinel takes a replica for electable once it has its INFO; the others it hears of from the master. */
const watches = (others: number) => async (call: Call) => {
  const replicas = (await call('replicas', SERVICE)) as unknown[]
  const facts = JSON.stringify(replicas)
  const known = (await call('sentinels', SERVICE)) as unknown[]
  return replicas.length === 1 && facts.includes('"master-link-status","ok"') && known.length >= others
}

async function ask<T>(port: number, question: (call: Call) => Promise<T>): Promise<T> {
  const client = connectRedis(`redis://127.0.0.1:${port}`, 'writer')
  try {
    await ready(client)
    const [node] = nodesOf(client)
    return await question((...args) => node!.call('sentinel', ...args))
  } finally {
    await closeRedis(client)
  }
}
