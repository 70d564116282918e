// What the bus costs beside the bare commands and beside BullMQ: `node bench/bus.ts [--rounds n] [--only name] [--json]`.
// All take turns in one process, on one redis-server that is started for the run (AOF, appendfsync everysec, because
// that is what most of the others run with); payloads are 200 bytes.
import { parseArgs } from 'node:util'
import { bullmq, consume, OUR_FIELDS, publish, rawConsume, rawPublish } from './bus-contestants.ts'
import { latency, rawLatency } from './bus-latency.ts'
import { openStage, type Stage } from './bus-stage.ts'
import { type Contestant, compete } from './rounds.ts'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '9' },
    only: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
  },
})

interface Question {
  readonly name: string
  readonly about: string
  readonly unit: 'messages/s' | 'ms'
  readonly contestants: (stage: Stage) => readonly Contestant[]
  /** Ours over which of the others, and what it should reach. */
  readonly against: string
  readonly target: string
}

const OURS = 'sluice'

const QUESTIONS: readonly Question[] = [
  {
    name: 'publish',
    about: 'publish idempotently, 4 publishers, batches of 500',
    unit: 'messages/s',
    contestants: (stage) => [
      { name: OURS, run: () => publish(stage) },
      { name: 'pipelined XADD, one field', run: () => rawPublish(stage, ['data']) },
      { name: 'pipelined XADD, our fields', run: () => rawPublish(stage, OUR_FIELDS) },
    ],
    against: 'pipelined XADD, one field',
    target: '≥ 0.65',
  },
  {
    name: 'consume',
    about: 'consume without order: handler, acknowledgement, retry state',
    unit: 'messages/s',
    contestants: (stage) => [
      { name: OURS, run: () => consume(stage, 'none', 1) },
      { name: 'XREADGROUP 100 + XACK', run: () => rawConsume(stage, 1) },
      { name: 'XREADGROUP 100 + XACK, one field', run: () => rawConsume(stage, 1, ['data']) },
    ],
    against: 'XREADGROUP 100 + XACK',
    target: '≥ 0.75',
  },
  {
    name: 'ordered',
    about: 'consume 16 ordered partitions with fenced acknowledgement',
    unit: 'messages/s',
    contestants: (stage) => [
      { name: OURS, run: () => consume(stage, 'key', 16) },
      { name: '16 streams, XREADGROUP + XACK', run: () => rawConsume(stage, 16) },
      { name: '16 streams, one field', run: () => rawConsume(stage, 16, ['data']) },
    ],
    against: '16 streams, XREADGROUP + XACK',
    target: '≥ 0.75',
  },
  {
    name: 'bullmq',
    about: 'consume beside BullMQ, concurrency 50',
    unit: 'messages/s',
    contestants: (stage) => [
      { name: OURS, run: () => consume(stage, 'none', 1, 50) },
      { name: 'BullMQ', run: () => bullmq(stage) },
    ],
    against: 'BullMQ',
    target: '≥ 10',
  },
  {
    name: 'latency',
    about: 'one message at 1,000/s, median from publish to handler',
    unit: 'ms',
    contestants: (stage) => [
      { name: OURS, run: () => latency(stage, 'none') },
      { name: `${OURS}, ordered`, run: () => latency(stage, 'key') },
      { name: 'XADD to blocking XREADGROUP', run: () => rawLatency(stage) },
    ],
    against: 'XADD to blocking XREADGROUP',
    target: '≤ 1.5',
  },
]

const asked = QUESTIONS.filter(({ name }) => options.only === '' || options.only.split(',').includes(name))
const stage = await openStage()
try {
  for (const { name, about, unit, contestants, against, target } of asked) {
    const standings = await compete(contestants(stage), Number(options.rounds), (round) =>
      process.stderr.write(`${name}: round ${round < 0 ? 'to warm up' : round + 1}\n`),
    )
    const base = standings.find((one) => one.name === against)!.median
    for (const { name: who, median, least, most } of standings) {
      const ratio = Number((median / base).toFixed(2))
      const line = { question: name, about, who, unit, median, least, most, ratio, against, target }
      process.stdout.write(options.json ? `${JSON.stringify(line)}\n` : rowOf(line))
    }
  }
} finally {
  await stage.close()
}

interface Line {
  readonly question: string
  readonly who: string
  readonly unit: string
  readonly median: number
  readonly least: number
  readonly most: number
  readonly ratio: number
  readonly target: string
}

function rowOf({ question, who, unit, median, least, most, ratio, target }: Line): string {
  const show = (figure: number) =>
    unit === 'ms' ? figure.toFixed(3) : Math.round(figure).toLocaleString('en')
  const isOurs = who.startsWith(OURS)
  const range = `${show(least)} to ${show(most)} ${unit}`
  return `${question.padEnd(9)} ${who.padEnd(34)} ${show(median).padStart(9)}  ${range.padEnd(34)} ${ratio.toFixed(2)} ×${isOurs ? `  (${target})` : ''}\n`
}
