// Redlock with its eyes open. It decides by majority over the servers it is given, but waits for the slowest of them;
// these servers answer it with an error as soon as the others have decided, so that a frozen one delays nobody.
import Redlock from 'redlock'
import type { LockScripts } from './scripts.ts'

type Callback = (error: Error | null, result?: number) => void
type Step = 'lock' | 'unlock' | 'extend'

export interface Vote {
  /** The shared redlock, voting through these servers. */
  readonly redlock: Redlock
  /** How many have answered what so far. Those that are late have answered nothing. */
  readonly tally: Readonly<Tally>
}

interface Tally {
  yes: number
  no: number
  failed: number
}

export interface VoteOptions {
  /** The step whose answers count. Redlock undoes by itself what failed: that is sent, but not waited for. */
  readonly step: Step
  /** Sends a step to one server; undefined when there is nothing to be sent. */
  readonly ask: (server: number, step: Step, value: string, lifeMs: number) => Promise<unknown> | undefined
  /** Told of each answer that counts. 1 is a yes. */
  readonly onAnswer?: (server: number, said: unknown) => void
  readonly onError: (server: number, error: Error) => void
}

/** So many of the servers decide. */
export const majorityOf = (servers: number): number => Math.floor(servers / 2) + 1

const LATE = new Error('The others have decided.')

/** Builds redlock once; each question to the servers is a vote of its own. */
export function openVotes(servers: number, scripts: LockScripts): (options: VoteOptions) => Vote {
  const shared = new Redlock([{ eval: neverAsked }], {
    retryCount: 0,
    lockScript: () => scripts.lock.source,
    unlockScript: () => scripts.release.source,
    extendScript: () => scripts.extend.source,
  })
  const steps: Readonly<Record<string, Step>> = {
    [scripts.lock.hash]: 'lock',
    [scripts.release.hash]: 'unlock',
    [scripts.extend.hash]: 'extend',
  }
  return (options) => {
    const { tally, note } = openCount(servers)
    const voters = []
    for (let server = 0; server < servers; server++) voters.push(openVoter(server, steps, options, note))
    return { redlock: Object.assign(Object.create(shared) as Redlock, { servers: voters }), tally }
  }
}

type Note = (server: number, callback: Callback, kind: keyof Tally | 'asked', error?: Error) => void

function openVoter(server: number, steps: Readonly<Record<string, Step>>, options: VoteOptions, note: Note) {
  const { step: counted, ask, onAnswer, onError } = options
  return {
    eval: neverAsked,
    evalsha(hash: string, args: readonly unknown[], callback: Callback) {
      const step = steps[hash]!
      const question = ask(server, step, args[2] as string, args[3] as number)
      if (step !== counted) {
        callback(null, 1)
        question?.catch((error: Error) => onError(server, error))
        return
      }
      note(server, callback, 'asked')
      // Chained by hand: this is on the way of every lock, where a promise less shows.
      question?.then(
        (said) => {
          onAnswer?.(server, said)
          note(server, callback, said === 1 ? 'yes' : 'no')
        },
        (error: Error) => {
          onError(server, error)
          note(server, callback, 'failed', error)
        },
      )
    },
  }
}

/** Passes answers on to redlock, and answers for those that are late once nothing can change the outcome. */
function openCount(servers: number): { tally: Tally; note: Note } {
  const majority = majorityOf(servers)
  const veto = servers - majority + 1
  const tally: Tally = { yes: 0, no: 0, failed: 0 }
  const waiting: (Callback | undefined)[] = []
  const tell = (server: number, error: Error | null, result: number) => {
    const callback = waiting[server]
    waiting[server] = undefined
    callback?.(error, result)
  }
  return {
    tally,
    note(server, callback, kind, error) {
      if (kind === 'asked') {
        waiting[server] = callback
        return
      }
      tally[kind]++
      tell(server, error ?? null, kind === 'yes' ? 1 : 0)
      // Refusals and failures are not added up: who cannot have the key is told which of the two it was.
      if (tally.yes < majority && tally.no < veto && tally.failed < veto) return
      for (let late = 0; late < servers; late++) tell(late, LATE, 0)
    },
  }
}

/** Redlock asks by the hash, and whoever answers here loads the script where it is missing. */
function neverAsked(): never {
  throw new Error('Redlock is asked by hash only.')
}
