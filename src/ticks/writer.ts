// Writes ticks durably without holding up the loop: what is added goes as columns to a thread that writes the files of
// the days, in batches by size or age. What finds no room waits, or is spilled to disk; nothing is dropped in silence.
import { join } from 'node:path'
import { type Clock, SluiceError } from '../kernel/index.ts'
import { checkTicks } from './check-tick.ts'
import { openTickQueue, type TickQueue } from './queue.ts'
import { type Accepted, settleFailed } from './queue-adds.ts'
import { openSpill, type Spill } from './spill.ts'
import type { Tick } from './tick.ts'
import type { TickEmitter } from './tick-events.ts'
import { type HandedBatches, openHanded } from './writer-handed.ts'
import { type Link, openLink } from './writer-link.ts'
import { type Overflow, openOverflow } from './writer-overflow.ts'
import { openPump, type Pump } from './writer-pump.ts'
import type { News } from './writer-serve.ts'
import { dayText, type FailingDay, openTally, type Tally } from './writer-tally.ts'

export interface TickWriterOptions {
  /** Folder of the files of all days. */
  readonly dir: string
  readonly clock: Clock
  readonly events?: TickEmitter
  /** Ticks held in memory at most. Default: 262,144, which are 16 MiB. */
  readonly queueMax?: number
  /**
   * What happens when that is reached, and when a file is locked or a disk fails: callers wait (default), or batches go
   * to the spill files, of the queue from half of it on. What a damaged file does not take is spilled in any case.
   */
  readonly full?: 'wait' | 'spill'
  /** Folder of what is spilled; better on another disk. Default: `dir`/spill. */
  readonly spillDir?: string
  /**
   * A batch is written when it has so many ticks. Each transaction has its price: in batches of 4,096 a tick costs the
   * thread three times as much as in batches of 16,384. Default: 32,768, or a quarter of the queue if that is less.
   */
  readonly batchTicks?: number
  /**
   * Or as long after the batch before it, unless somebody adds many at once: then as soon as the thread has nothing to
   * do. Default: 10.
   */
  readonly batchMs?: number
  /** How long closing waits for what a failing disk does not take. Default: 5,000. */
  readonly closeMs?: number
  /** How long after its end the file of a day stays open. */
  readonly graceMs?: number
  /** Pause between tidying the logs of the files. Default: 30,000. */
  readonly checkpointMs?: number
  /** Entry of the thread; for tests. */
  readonly thread?: URL
}

export interface TickHealth {
  readonly ok: boolean
  /** Days whose file does not take ticks. */
  readonly failing: readonly FailingDay[]
  /** The thread died and another is not there yet. */
  readonly withoutThread: boolean
  readonly queued: number
  readonly queueMax: number
  /** Ticks of callers that wait for room. */
  readonly waiting: number
  /** Ticks in the spill files. */
  readonly inSpill: number
}

export interface TickWriter {
  /**
   * Resolves when all are durable, in their files or, while the file of a day takes none, in the spill files; waits
   * while a disk fails. Rejects with PAYLOAD_INVALID when one cannot be stored (then none is), DATABASE_UNAVAILABLE when
   * the thread died or the writer was closed while a disk failed (some may be stored then: added again they are
   * duplicates), USAGE after `close`. Of several calls that were written together only the sum of duplicates is exact.
   */
  add(ticks: readonly Tick[]): Promise<Accepted>
  /** Resolves when there is room in the queue. */
  ready(): Promise<void>
  health(): TickHealth
  /** Writes what was added, tidies up and ends the thread. What cannot be written within `closeMs` is refused. */
  close(): Promise<void>
}

// The thread waits in the file for so long; then it sees to other days and tries again.
const BUSY_MS = 50
const END_MS = 10_000
// Who brings so many at once is behind. A fold reads 500 entries and waits until they are durable: when they waited for
// an age of 200 ms, one partition was kept at 2,541 entries a second, and now at 21,075.
const HASTY_TICKS = 256

export function openTickWriter(options: TickWriterOptions): TickWriter {
  const { dir, clock, queueMax = 262_144, batchMs = 10, closeMs = 5_000 } = options
  const batchTicks = Math.min(options.batchTicks ?? 32_768, Math.ceil(queueMax / 4))
  const { thread = new URL('./writer-thread.ts', import.meta.url), graceMs, checkpointMs = 30_000 } = options
  const tally = openTally(options.events)
  const { events, isFailing } = tally
  const release = (count: number) => queue.release(count)
  const handed = openHanded({ events, release, setAside: (aside) => overflow.push(aside) })
  const spill = openSpill({ root: options.spillDir ?? join(dir, 'spill'), clock, events, isFailing })
  const overflow = openOverflow({ spill, isFailing, clock, events, release })
  const queue = openTickQueue({
    max: queueMax,
    batchTicks,
    now: () => clock.monotonic(),
    // Not in the same call: what is added together goes together.
    onBegun: () => void setImmediate(() => pump.run()),
    onFull: (sealed) => pump.place(sealed),
  })
  const link = openLink({
    entry: thread,
    data: {
      ...{ dir, busyMs: BUSY_MS, checkpointMs, givesBackAll: options.full === 'spill' },
      ...(graceMs !== undefined && { graceMs }),
    },
    clock,
    onNews(news) {
      for (const one of news) hear(one, handed, events, clock)
      pump.run()
    },
    onDied(reason) {
      events.emit('died', { reason, refused: handed.giveUp(diedError(reason)) })
    },
    onUp: () => pump.run(),
  })
  const spillFrom = options.full === 'spill' ? queueMax / 2 : undefined
  const pump = openPump({
    ...{ queue, handed, link, spill, overflow, tally, clock, batchMs, spillFrom },
    readBelow: queueMax / 2,
  })
  let closing: Promise<void> | undefined
  // A process before may have left something.
  pump.run()
  return {
    async add(ticks) {
      if (closing) throw new SluiceError('USAGE', 'Ticks were added to a writer that is closed.')
      checkTicks(ticks)
      events.emit('received', { count: ticks.length })
      const accepted = queue.add(ticks)
      if (ticks.length >= HASTY_TICKS) pump.hasten()
      return accepted
    },
    ready: queue.ready,
    health() {
      const failing = tally.failing()
      const withoutThread = !closing && !link.isUp()
      return {
        ok: failing.length === 0 && !withoutThread,
        failing,
        withoutThread,
        ...{ queued: queue.held(), queueMax, waiting: queue.waiting(), inSpill: spill.ticks() },
      }
    },
    close() {
      closing ??= closeAll({ queue, pump, handed, overflow, spill, link, tally }, clock, closeMs)
      return closing
    },
  }
}

interface Parts {
  readonly queue: TickQueue
  readonly pump: Pump
  readonly handed: HandedBatches
  readonly overflow: Overflow
  readonly spill: Spill
  readonly link: Link
  readonly tally: Tally
}

async function closeAll(parts: Parts, clock: Clock, closeMs: number): Promise<void> {
  const { queue, pump, handed, overflow, spill, link, tally } = parts
  pump.hurry()
  const over = new AbortController()
  await Promise.race([pump.idle(), clock.sleep(closeMs, over.signal)])
  over.abort()
  const error = closedError(tally.failing())
  const told = { code: error.code, reason: error.message }
  for (const adding of queue.giveUp()) {
    adding.fail(error)
    tally.events.emit('refused', { count: adding.waiting(), ...told })
  }
  for (const { parts, batch } of [...pump.giveUp(), ...(await overflow.close())]) {
    settleFailed(parts, error)
    tally.events.emit('refused', { count: batch.count, ...told })
  }
  handed.giveUp(error)
  await link.end(END_MS)
  await spill.close()
}

function hear(news: News, handed: HandedBatches, events: TickEmitter, clock: Clock): void {
  switch (news.kind) {
    case 'tried':
      handed.tried()
      break
    case 'outcome':
      handed.settle(news.id, news.outcome, news.tookMs)
      break
    case 'back':
      handed.back(news)
      break
    case 'retried':
      events.emit('retried', { day: dayText(news.day), reason: news.reason, inMs: news.inMs })
      break
    case 'failing': {
      const { code, reason } = news
      events.emit('failing', { day: dayText(news.day), code, reason, since: clock.now() })
      break
    }
    case 'recovered':
      events.emit('recovered', { day: dayText(news.day), forMs: news.forMs })
      break
    case 'disturbed':
      events.emit('disturbed', { where: news.where, reason: news.reason })
      break
  }
}

const diedError = (reason: string) =>
  new SluiceError(
    'DATABASE_UNAVAILABLE',
    `The thread that writes ticks died (${reason}); what it held may be stored or not.`,
    { reason, commit: 'unknown' },
  )

function closedError(failing: readonly FailingDay[]): SluiceError {
  const why = failing.map(({ day, reason }) => `${day}: ${reason}`).join('; ')
  const sentence = `The tick writer was closed before these ticks could be written${why && ` (${why})`}.`
  return new SluiceError('DATABASE_UNAVAILABLE', sentence, { failing, commit: 'unknown' })
}
