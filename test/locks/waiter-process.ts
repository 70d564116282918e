// Waiters as processes of their own, that can be killed and stopped.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { eventually } from '../support/eventually.ts'
import type { WaiterWord } from './waiter.ts'

export interface Turn {
  readonly name: string
  readonly token: number
}

export interface Waiter {
  /** Those that it has had. */
  turns(): readonly Turn[]
  /** Starts waiting under that name, and resolves when it stands in the queue. */
  wait(resource: string, name: string): Promise<void>
  send(signal: NodeJS.Signals): void
  /** SIGKILL. */
  end(): Promise<void>
}

export async function forkWaiter(place: Readonly<Record<string, string>>): Promise<Waiter> {
  const child = fork(join(import.meta.dirname, 'waiter.ts'), { env: { ...process.env, ...place } })
  const words: WaiterWord[] = []
  child.on('message', (word) => words.push(word as WaiterWord))
  const queued = (resource: string) =>
    words.filter((word) => word.says === 'waiting' && word.resource === resource).length
  await eventually(() => words.some(({ says }) => says === 'ready'), { what: 'a waiter that is ready' })
  return {
    turns: () => words.filter((word) => word.says === 'worked'),
    async wait(resource, name) {
      const before = queued(resource)
      child.send({ resource, name })
      await eventually(() => queued(resource) > before, { what: `${name} in the queue` })
    },
    send: (signal) => void child.kill(signal),
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}
