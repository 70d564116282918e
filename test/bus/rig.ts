// What the tests of the bus share: a stream of numbered entries, tasks that are started and stopped, buses that note
// what they say, and child processes that can be killed and stopped.
import { type ChildProcess, fork } from 'node:child_process'
import { z } from 'zod'
import {
  type BusEvents,
  defineStream,
  type OpenBus,
  openBus,
  outgoing,
  type Stream,
} from '../../src/bus/index.ts'
import { type Clock, systemClock } from '../../src/kernel/index.ts'

export interface Numbered {
  key: string
  n: number
}

export type NumberStream = Stream<Numbered>

let names = 0

export function numberStream(more: Partial<NumberStream> = {}): NumberStream {
  return defineStream({
    name: `numbers${process.pid}x${names++}`,
    about: 'numbers of a key',
    shape: z.object({ key: z.string(), n: z.number().int() }),
    key: (data: Numbered) => data.key,
    partitions: 4,
    ...more,
  })
}

/** Events key by key in turns: `each` numbers from `from` on for each of `keys` keys. */
export function numbers(into: NumberStream, keys: number, each: number, from = 0) {
  return Array.from({ length: keys * each }, (_, i) => {
    const key = `k${i % keys}`
    const n = from + Math.floor(i / keys)
    return outgoing(into, `${key}:${n}`, { key, n })
  })
}

/** Starts a task; `stop` drains it, `done` shows how it ended by itself. */
export function start(task: (signal: AbortSignal) => Promise<void>) {
  const controller = new AbortController()
  const done = task(controller.signal)
  done.catch(() => {})
  return {
    done,
    async stop() {
      controller.abort()
      await done
    },
  }
}

type Said = { [K in keyof BusEvents]: Parameters<BusEvents[K]>[0][] }

export interface NotingBus extends OpenBus {
  readonly said: Said
}

export function openNotingBus(url: string, clock: Clock = systemClock, leaseMs = 600): NotingBus {
  const bus = openBus({ url, clock, leaseMs, visibilityMs: 600 })
  const said = {} as Said
  const events: (keyof BusEvents)[] = [
    ...(['published', 'refused', 'handled', 'retried', 'deadLettered', 'lost'] as const),
    ...(['tookOver', 'handedOver', 'fenced', 'paused', 'resumed', 'trimmed', 'disturbed'] as const),
  ]
  for (const name of events) {
    said[name] = []
    bus.events.on(name, (fact) => void (said[name] as unknown[]).push(fact))
  }
  return { ...bus, said }
}

export interface ChildOptions {
  readonly url: string
  readonly stream: string
  readonly partitions: number
  readonly mode: 'consume' | 'poisoned' | 'fold' | 'fold with random ids'
  readonly name: string
  readonly effects: string
}

export interface Child {
  readonly process: ChildProcess
  readonly exited: Promise<void>
  kill(): Promise<void>
  /** SIGTERM: drains. */
  stop(): Promise<void>
}

export function startChild(options: ChildOptions): Child {
  const path = new URL('./child.ts', import.meta.url).pathname
  const child = fork(path, [JSON.stringify(options)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const killIt = () => void child.kill('SIGKILL')
  process.once('exit', killIt)
  void exited.then(() => process.off('exit', killIt))
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    await exited
  }
  return { process: child, exited, kill: () => end('SIGKILL'), stop: () => end('SIGTERM') }
}

/** A seeded stream of numbers in [0, 1): mulberry32. */
export function seeded(seed: number): () => number {
  let a = seed
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
