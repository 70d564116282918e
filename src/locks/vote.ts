// Redlock with its eyes open. It decides by majority over the servers it is given, but waits for the slowest of them;
// these servers answer it with an error as soon as the others have decided, so that a frozen one delays nobody.
import Redlock from 'redlock'
import { EXTEND, LOCK, RELEASE } from './scripts.ts'

type Callback = (error: Error | null, result?: number) => void
type Step = 'lock' | 'unlock' | 'extend'

/** How one server is asked: answers whether it said yes, and rejects when it does not answer. */
export type Ask = (server: number, step: Step, value: string, lifeMs: number) => Promise<boolean>

export interface Vote {
  /** The shared redlock, voting through these servers. */
  readonly redlock: Redlock
  /** How many have answered what so far. Those that are late have answered nothing. */
  readonly yes: () => number
  readonly no: () => number
}

export interface VoteOptions {
  readonly ask: Ask
  /** The step whose answers count. Redlock undoes by itself what failed: that is sent, but not waited for. */
  readonly step: Step
}

const STEPS = new Map<string, Step>([
  [LOCK.hash, 'lock'],
  [RELEASE.hash, 'unlock'],
  [EXTEND.hash, 'extend'],
])

const LATE = new Error('The others have decided.')

/** Builds redlock once; each question to the servers is a vote of its own. */
export function openVotes(servers: number): (options: VoteOptions) => Vote {
  const shared = new Redlock([{ eval: neverAsked }], {
    retryCount: 0,
    lockScript: () => LOCK.source,
    unlockScript: () => RELEASE.source,
    extendScript: () => EXTEND.source,
  })
  return (options) => openVote(shared, servers, options)
}

function openVote(shared: Redlock, count: number, { ask, step: counted }: VoteOptions): Vote {
  const majority = Math.floor(count / 2) + 1
  const veto = count - majority + 1
  const waiting = new Map<number, Callback>()
  let [yes, no, failed] = [0, 0, 0]
  const answer = (server: number, error: Error | null, result?: number) => {
    const callback = waiting.get(server)
    waiting.delete(server)
    callback?.(error, result)
    // Refusals and failures are not added up: who cannot have the key is told which of the two it was.
    if (yes < majority && no < veto && failed < veto) return
    for (const [late, callLate] of waiting) {
      waiting.delete(late)
      callLate(LATE)
    }
  }
  const settle = async (server: number, question: Promise<boolean>) => {
    try {
      const said = await question
      if (said) yes++
      else no++
      answer(server, null, said ? 1 : 0)
    } catch (error) {
      failed++
      answer(server, error as Error)
    }
  }
  const evalsha = (server: number) => (hash: string, args: readonly unknown[], callback: Callback) => {
    const [, , value, lifeMs] = args
    const step = STEPS.get(hash)!
    const question = ask(server, step, String(value), Number(lifeMs))
    if (step === counted) {
      waiting.set(server, callback)
      void settle(server, question)
      return
    }
    question.catch(() => {})
    callback(null, 1)
  }
  const servers = Array.from({ length: count }, (_, server) => ({
    eval: neverAsked,
    evalsha: evalsha(server),
  }))
  return {
    redlock: Object.assign(Object.create(shared) as Redlock, { servers }),
    yes: () => yes,
    no: () => no,
  }
}

/** Redlock asks by the hash, and whoever answers here loads the script where it is missing. */
function neverAsked(): never {
  throw new Error('Redlock is asked by hash only.')
}
