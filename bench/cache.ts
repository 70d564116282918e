// What a cached answer costs beside the bare means: `node bench/cache.ts [--rounds n] [--only name] [--json]`. All take turns
// in one process, on one redis-server that is started for the run; answers are 200 bytes.
import { answerOf, CALLERS, KEYS, openStage, perSecond, type Stage, symbolOf } from './cache-stage.ts'
import { ask, type Question } from './questions.ts'

const HITS = 1_000_000
const READS = 50_000
const MISSES = 10_000
const WARMED = 25_000

const QUESTIONS: readonly Question<Stage>[] = [
  {
    name: 'memory',
    about: 'an answer that is in memory, one caller',
    unit: 'answers/s',
    contestants: ({ views, kept }) => [
      {
        name: 'sluice',
        async run() {
          const load = (symbol: string) => async () => answerOf(symbol)
          for (let n = 0; n < KEYS; n++) await views.get(kept, [symbolOf(n)], load(symbolOf(n)))
          return perSecond(HITS, 1, (n) => views.get(kept, [SYMBOLS[n % KEYS]!], never))
        },
      },
      { name: 'a Map that looks at the age', run: bareMap },
    ],
    against: 'a Map that looks at the age',
    target: '≥ 3,000,000/s and ≥ 0.67',
  },
  {
    name: 'redis',
    about: `an answer that is in Redis, ${CALLERS} callers`,
    unit: 'answers/s',
    contestants: ({ views, client, database, shared }) => {
      const select = database.prepare('SELECT answer FROM answers WHERE symbol = ?').pluck()
      return [
        {
          name: 'sluice',
          async run() {
            for (const symbol of SYMBOLS) await views.get(shared, [symbol], async () => answerOf(symbol))
            return perSecond(READS, CALLERS, (n) => views.get(shared, [SYMBOLS[n % KEYS]!], never))
          },
        },
        {
          name: 'HMGET and JSON.parse',
          run: () =>
            perSecond(READS, CALLERS, async (n) => {
              const [text] = await client.hmget(`raw:${SYMBOLS[n % KEYS]}`, 'v', 's')
              return JSON.parse(text!)
            }),
        },
        {
          name: 'SQLite, prepared, and JSON.parse',
          run: () =>
            perSecond(READS, CALLERS, async (n) => JSON.parse(String(select.get(SYMBOLS[n % KEYS])))),
        },
      ]
    },
    against: 'HMGET and JSON.parse',
    target: '≥ 0.85',
  },
  {
    name: 'miss',
    about: `an answer that nobody has loaded yet, ${CALLERS} callers`,
    unit: 'answers/s',
    contestants: ({ views, client, shared, fresh }) => [
      {
        name: 'sluice',
        run() {
          const part = fresh()
          return perSecond(MISSES, CALLERS, (n) => {
            const symbol = `${part}.${n}`
            return views.get(shared, [symbol], async () => answerOf(symbol))
          })
        },
      },
      {
        name: 'GET, then SET',
        run() {
          const part = fresh()
          return perSecond(MISSES, CALLERS, async (n) => {
            const key = `${part}.${n}`
            const text = await client.get(key)
            if (text !== null) return JSON.parse(text)
            const answer = answerOf(key)
            await client.set(key, JSON.stringify(answer), 'PX', 3_600_000)
            return answer
          })
        },
      },
    ],
    against: 'GET, then SET',
    target: '≥ 0.6',
  },
  {
    name: 'warm',
    about: `${WARMED} answers that are put there before anybody asks`,
    unit: 'entries/s',
    contestants: ({ views, client, warming, fresh }) => [
      {
        name: 'sluice',
        async run() {
          const began = performance.now()
          const [report] = await views.warm([warming(fresh(), WARMED)], { perSecond: 1e9 })
          if (report?.warmed !== WARMED) throw new Error(`only ${report?.warmed} were warmed`)
          return (WARMED / (performance.now() - began)) * 1_000
        },
      },
      {
        name: 'SET in pipelines of 250',
        async run() {
          const part = fresh()
          const began = performance.now()
          for (let n = 0; n < WARMED; n += 250) {
            const pipeline = client.pipeline()
            for (let i = n; i < n + 250; i++) {
              const key = `${part}.${i}`
              pipeline.set(key, JSON.stringify(answerOf(key)), 'PX', 3_600_000)
            }
            await pipeline.exec()
          }
          return (WARMED / (performance.now() - began)) * 1_000
        },
      },
    ],
    against: 'SET in pipelines of 250',
    target: '≥ 50,000/s',
  },
  {
    name: 'cold',
    about: `${KEYS} answers of SQLite for ${CALLERS} callers, when Redis knows none`,
    unit: 'ms',
    contestants: ({ views, shared, stored, fresh, row }) => {
      const readAll = (part: string) =>
        perSecond(KEYS, CALLERS, (n) => {
          const symbol = `${part}.${n}`
          return views.get(shared, [symbol], async () => row(symbol))
        })
      return [
        {
          name: 'sluice, warmed first',
          async run() {
            const part = fresh()
            const began = performance.now()
            await views.warm([stored(part, KEYS)], { perSecond: 1e9 })
            await readAll(part)
            return performance.now() - began
          },
        },
        {
          name: 'each answer by who asks first',
          async run() {
            const part = fresh()
            const began = performance.now()
            await readAll(part)
            return performance.now() - began
          },
        },
      ]
    },
    against: 'each answer by who asks first',
    target: '< 1',
  },
]

const SYMBOLS = Array.from({ length: KEYS }, (_, n) => symbolOf(n))

const never = () => Promise.reject(new Error('it was not cached'))

/** What one writes by hand: a map of promises, each with its age. */
function bareMap(): Promise<number> {
  const map = new Map<string, { answer: Promise<unknown>; until: number }>()
  const until = performance.now() + 3_600_000
  for (const symbol of SYMBOLS) map.set(symbol, { answer: Promise.resolve(answerOf(symbol)), until })
  const get = (symbol: string): Promise<unknown> => {
    const found = map.get(symbol)
    return found && performance.now() < found.until ? found.answer : never()
  }
  return perSecond(HITS, 1, (n) => get(SYMBOLS[n % KEYS]!))
}

await ask(QUESTIONS, { openStage, rounds: 9, ratioOf: (median, against) => median / against })
