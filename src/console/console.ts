// The console: page, API, health, metrics and the job board, served until told to stop. What serves them is loaded
// then and not before: every worker counts and reports by this folder, and few of them answer HTTP (35 MB).
import type { Queue } from 'bullmq'
import type { Clock, Logger, Task } from '../kernel/index.ts'
import type { Changes, History, HistoryFiles, Questions } from './answers.ts'
import type { LiveOptions } from './live.ts'

export interface ConsoleOptions {
  readonly host: string
  readonly port: number
  readonly questions: Questions
  readonly changes: Changes
  readonly history: History
  readonly files: HistoryFiles
  /** Allows the changes to whoever sends it. Default: the empty string, and nobody may change anything. */
  readonly token?: string
  /** The queues shown at /queues; called when somebody first looks there. */
  readonly queues: () => Promise<readonly Queue[]>
  readonly clock: Clock
  readonly log: Logger
  readonly live?: Partial<LiveOptions>
  /** Called once it listens. */
  readonly onListening?: (url: string) => void
}

/** Rejects with PORT_IN_USE. At the abort it answers what it has begun, tells the watching pages, and closes. */
export const openConsole =
  (options: ConsoleOptions): Task =>
  async (signal) => {
    const { serve } = await import('./serve.ts')
    await serve(options, signal)
  }
