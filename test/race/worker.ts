// One process of the race: reads and writes as fast as it is told to, and notes when it last saw each version of each
// key. Times are of the machine's monotonic clock, which all processes share.
import { systemClock } from '../../src/kernel/index.ts'
import { connectRedis, ready } from '../../src/redis/index.ts'
import { seededRandom } from '../../src/venues/simulation/random.ts'
import { type CacheName, LEASE_MS, openCache } from './caches.ts'

export interface WorkerOptions {
  readonly cache: CacheName
  readonly url: string
  /** The server that stands for the database. */
  readonly truthUrl: string
  readonly keys: number
  readonly seed: number
  readonly clockAheadMs: number
  /** See `CacheOptions.index`. */
  readonly index?: string
}

export type ToWorker =
  | { readonly do: 'run'; readonly operations: number }
  | { readonly do: 'look' }
  | { readonly do: 'lose'; readonly part: number }

/** When a version was last read (the read's beginning), and when its change had been told. ms. */
export interface Notes {
  readonly seen: readonly (readonly [key: number, version: number, at: number])[]
  readonly told: readonly (readonly [key: number, version: number, at: number])[]
}
export type FromWorker =
  | { readonly said: 'ready' }
  | ({ readonly said: 'done'; readonly loads: number } & Notes)
  | { readonly said: 'seen'; readonly versions: readonly number[] }

const LOOPS = 8
const WRITE_PART = 0.005
/** One load in so many takes longer than its lease. */
const PAUSED_LOAD = 200

const options = JSON.parse(process.argv[2]!) as WorkerOptions
const nowMs = () => Number(process.hrtime.bigint()) / 1e6
const { uniform: random } = seededRandom(options.seed)
const truth = connectRedis(options.truthUrl, 'jobs')
await ready(truth)
let losePart = 0
const ahead = options.clockAheadMs
const cache = await openCache(options.cache, {
  url: options.url,
  clock: {
    ...systemClock,
    now: () => systemClock.now() + ahead,
    monotonic: () => systemClock.monotonic() + ahead,
  },
  loses: () => random() < losePart,
  index: options.index,
})
let loads = 0

async function load(key: number): Promise<number> {
  loads++
  const version = Number((await truth.get(`k${key}`)) ?? 0)
  // What was read grows old before it can be stored.
  const pauseMs = random() < 1 / PAUSED_LOAD ? LEASE_MS * 1.5 : random() * 10
  await systemClock.sleep(pauseMs)
  return version
}
const read = (key: number) => cache.get(`k${key}`, () => load(key))

/** As the outbox does: the change first, then the drop until it gets through. */
async function write(key: number, told: [number, number, number][]): Promise<void> {
  const version = await truth.incr(`k${key}`)
  for (;;) {
    try {
      await cache.changed(`k${key}`)
      told.push([key, version, nowMs()])
      return
    } catch {
      await systemClock.sleep(20)
    }
  }
}

async function run(operations: number): Promise<Notes> {
  const seen = Array.from({ length: options.keys }, () => new Map<number, number>())
  const told: [number, number, number][] = []
  let left = operations
  const loop = async () => {
    while (left-- > 0) {
      const key = Math.floor(random() * options.keys)
      if (random() < WRITE_PART) await write(key, told)
      else {
        const at = nowMs()
        const version = await read(key).catch(() => undefined)
        if (version !== undefined) seen[key]!.set(version, Math.max(at, seen[key]!.get(version) ?? 0))
      }
      // Hits never leave the loop of events to anybody else.
      if (left % 16 === 0) await systemClock.sleep(1)
    }
  }
  await Promise.all(Array.from({ length: LOOPS }, loop))
  return {
    seen: seen.flatMap((by, key) => [...by].map(([version, at]) => [key, version, at] as const)),
    told,
  }
}

const say = (message: FromWorker) => process.send!(message)
process.on('message', async (message: ToWorker) => {
  if (message.do === 'lose') losePart = message.part
  if (message.do === 'run') say({ said: 'done', ...(await run(message.operations)), loads })
  if (message.do === 'look') {
    const versions = await Promise.all(Array.from({ length: options.keys }, (_, key) => read(key)))
    say({ said: 'seen', versions })
  }
})
// Nobody is there any more to end it.
process.once('disconnect', () => process.exit())
say({ said: 'ready' })
