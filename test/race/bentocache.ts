// The race's peer: bentocache with an ioredis 5 of its own. It refuses the ioredis 6 of this project beside it, so both
// are installed into a folder apart when somebody asks for that race, and nothing here depends on them.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { CacheOptions, RaceCache } from './caches.ts'

// Both MIT; 33 packages and 8.5 MB with what they need.
const PACKAGES = ['bentocache@1.6.1', 'ioredis@5.11.1'] as const
const FOLDER = join(tmpdir(), `sluice-race-${PACKAGES.join('-')}`)

/** Once for all processes of a race, before they begin. Needs a package registry. */
export function installBentocache(): void {
  if (existsSync(FOLDER)) return
  const made = `${FOLDER}.${process.pid}`
  mkdirSync(made, { recursive: true })
  try {
    const how = ['--no-audit', '--no-fund', '--ignore-scripts', '--no-save']
    execFileSync('npm', ['install', '--prefix', made, ...how, ...PACKAGES], { stdio: ['ignore', 2, 2] })
    renameSync(made, FOLDER)
  } finally {
    rmSync(made, { recursive: true, force: true })
  }
}

type Layer = unknown
interface Bento {
  readonly bentostore: () => Store
  readonly BentoCache: new (
    options: object,
  ) => {
    getOrSet(options: object): Promise<number>
    delete(options: object): Promise<boolean>
  }
}
interface Store {
  useL1Layer(layer: Layer): Store
  useL2Layer(layer: Layer): Store
  useBus(bus: Layer): Store
}
type Drivers = Readonly<Record<'memoryDriver' | 'redisDriver' | 'redisBusDriver', (options: object) => Layer>>
interface Emits {
  emit(event: string, ...values: unknown[]): boolean
  /** Prints errors that nobody listens to. */
  silentEmit(event: string, ...values: unknown[]): boolean
}
interface Ioredis {
  readonly Redis: { readonly prototype: Emits }
}

/** Memory, Redis and its bus, with its defaults; a delete that fails is not hidden, so that the race tries it again. */
export async function openBentocache({ url, loses }: CacheOptions): Promise<RaceCache> {
  const requireFrom = createRequire(join(FOLDER, 'package.json'))
  const load = <T>(name: string) => import(pathToFileURL(requireFrom.resolve(name)).href) as Promise<T>
  const [{ BentoCache, bentostore }, memory, redis, ioredis] = await Promise.all([
    load<Bento>('bentocache'),
    load<Drivers>('bentocache/drivers/memory'),
    load<Drivers>('bentocache/drivers/redis'),
    load<Ioredis>('ioredis'),
  ])
  // It makes its connections by itself.
  const { prototype } = ioredis.Redis
  const { emit, silentEmit } = prototype
  prototype.emit = function (event, ...values) {
    return event === 'message' && loses() ? false : emit.call(this, event, ...values)
  }
  prototype.silentEmit = function (event, ...values) {
    return event === 'error' || silentEmit.call(this, event, ...values)
  }
  const { hostname: host, port } = new URL(url)
  const connection = { host, port: Number(port), maxRetriesPerRequest: 1 }
  const store = bentostore()
    .useL1Layer(memory.memoryDriver({ maxItems: 10_000 }))
    .useL2Layer(redis.redisDriver({ connection }))
    .useBus(redis.redisBusDriver({ connection }))
  const cache = new BentoCache({ default: 'race', stores: { race: store } })
  return {
    get: (key, factory) => cache.getOrSet({ key, factory, ttl: 60_000 }),
    async changed(key) {
      await cache.delete({ key, suppressL2Errors: false })
    },
  }
}
