// A process that executes jobs and stops itself (SIGSTOP) at a given step of the critical section.
import { openEffects } from './pause-effects.ts'
import { type Mode, type Outcome, openProgram } from './pause-program.ts'

export interface PauseOrder {
  readonly job: string
  /** From 1 on. */
  readonly stopAt: number
}
export type HolderWord =
  | { readonly says: 'ready' }
  | { readonly says: 'stops'; readonly job: string }
  | { readonly says: 'over'; readonly job: string; readonly outcome: Outcome }

const { REDIS: url = '', EFFECTS: path = '', MODE: mode = '', TTL_MS: ttlMs = '' } = process.env
const database = openEffects(path)
const program = await openProgram({
  mode: mode as Mode,
  url,
  database,
  who: 'holder',
  ttlMs: Number(ttlMs),
})
const say = (word: HolderWord) => process.send!(word)

process.on('message', async ({ job, stopAt }: PauseOrder) => {
  let steps = 0
  const step = () => {
    if (++steps !== stopAt) return
    say({ says: 'stops', job })
    process.kill(process.pid, 'SIGSTOP')
  }
  say({ says: 'over', job, outcome: await program.run(job, step) })
})
process.once('disconnect', async () => {
  await program.close()
  await database.close()
})
say({ says: 'ready' })
