// A process of its own that follows phases and writes by them, until it is killed.
import { openBus } from '../../src/bus/index.ts'
import { openDatabase } from '../../src/db/index.ts'
import { readConfig, runTasks, systemClock, type Task } from '../../src/kernel/index.ts'
import { type ChildOptions, openEngine, openToys, toyKey } from './rig.ts'
import { CUTOVER_CHANNEL, toyStream } from './toy-stream.ts'

const options = JSON.parse(process.argv[2]!) as ChildOptions
const { mode, folder, redisUrl, pollMs, leaseMs, hangAt } = options
const database = openDatabase({ driver: 'sqlite', path: readConfig().SQLITE_DB_PATH, clock: systemClock })
const toys = openToys(folder)
const bus =
  redisUrl === undefined ? undefined : openBus({ url: redisUrl, clock: systemClock, visibilityMs: 300 })
const engine = openEngine(database, {
  ...(pollMs !== undefined && { pollMs }),
  ...(leaseMs !== undefined && { leaseMs }),
  ...(bus && {
    listen: (onChange: () => void) =>
      bus.listen(
        [CUTOVER_CHANNEL],
        () => onChange(),
        () => {
          onChange()
          tell({ listening: true })
        },
      ),
  }),
})

// The parent ended without a word.
process.once('disconnect', () => process.exit(1))
const tell = (fact: Record<string, unknown>) => void process.send?.(fact)
const hang = () => new Promise<never>(() => {})
const until = new AbortController().signal

engine.events.on('learned', ({ to, revision }) => tell({ phase: to, revision }))
await engine.ready()
tell({ phase: engine.phase('toys'), revision: 0 })

const put = (n: number) => {
  const key = toyKey(n)
  return engine.write('toys', {
    legacy: async () => toys.legacy.put(key, `value ${n}`),
    async current() {
      if (n === hangAt) {
        tell({ between: n })
        await hang()
      }
      toys.current.put(key, `value ${n}`)
    },
  })
}

const work: Record<ChildOptions['mode'], Task> = {
  follow: () => hang(),
  async write() {
    for (let n = 0; ; n++) {
      await put(n)
      tell({ wrote: n })
      await systemClock.sleep(2)
    }
  },
  consume: (signal) => consume(true)(signal),
  'consume carelessly': (signal) => consume(false)(signal),
  async copy() {
    const copy: typeof toys.stores.copy = async (part, ...rest) => {
      if (part.name === hangAt) {
        tell({ hangs: part.name })
        await hang()
      }
      await toys.stores.copy(part, ...rest)
    }
    await engine.copy({ ...toys.stores, copy })
    tell({ copied: true })
  },
}

/** Careless: acknowledged before both stores have it. */
const consume = (isCareful: boolean) =>
  bus!.consume({
    stream: toyStream(options.stream!),
    group: 'toys',
    order: 'none',
    crashesMax: 100,
    async handle({ data: { n } }) {
      const written = put(n)
      if (isCareful || n !== hangAt) await written
    },
  })

await runTasks([engine.task, work[mode]], until)
