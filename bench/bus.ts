// What the bus costs beside the bare commands and beside BullMQ: `node bench/bus.ts [--rounds n] [--only name] [--json]`.
// All take turns in one process, on one redis-server that is started for the run (AOF, appendfsync everysec, because
// that is what most of the others run with); payloads are 200 bytes.
import { bullmq, consume, OUR_FIELDS, publish, rawConsume, rawPublish } from './bus-contestants.ts'
import { latency, rawLatency } from './bus-latency.ts'
import { openStage, type Stage } from './bus-stage.ts'
import { ask, type Question } from './questions.ts'

const OURS = 'sluice'

const QUESTIONS: readonly Question<Stage>[] = [
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

await ask(QUESTIONS, { openStage, rounds: 9, ratioOf: (median, against) => median / against })
