// Whether a process may start with the store that its setting names. A setting that names one store goes round the phase:
// what it writes the other store would lack. So from its first use on a feature has a row, and its phase decides; before
// that the data do.
import type { Database } from '../db/index.ts'
import { type Clock, SluiceError } from '../kernel/index.ts'
import { isBothWritten, otherSide, type Side, useOf } from './phase.ts'
import { changeState, insertState, readState } from './store.ts'

export interface Backing {
  /** The setting that names the store, and its value. */
  readonly setting: string
  readonly value: string
  /** What that value reads and writes: both stores as the phase says, always the same one, or none of the two. */
  readonly uses: Side | 'both' | 'neither'
  /** Whether there is anything in a store. */
  holds(side: Side): Promise<boolean>
}

export interface BeginParts {
  readonly database: Database
  readonly clock: Clock
}

/** Rejects with CUTOVER_REFUSED, naming the phase, the setting and the ways out. May be repeated. */
export async function begin(parts: BeginParts, feature: string, backing: Backing): Promise<void> {
  const { uses, setting, value } = backing
  const { isBegun, phase } = await parts.database.read((tx) => readState(tx, feature))
  if (uses === 'both') return isBegun ? undefined : beginBoth(parts, feature, backing)
  const goesRound = `${feature} is in ${phase} and ${setting} is ${value}`
  const refuse = (why: string): never => {
    throw new SluiceError('CUTOVER_REFUSED', why, { feature, phase, setting, value })
  }
  if (isBegun && isBothWritten(phase)) {
    refuse(
      `${goesRound}, which leaves a store out. Set ${setting}=dual, or move the feature to legacy or done first: ` +
        'sluice cutover rollback, sluice cutover advance.',
    )
  }
  if (uses === 'neither') return
  if (isBegun && useOf(phase).reads !== uses) {
    refuse(`${goesRound}, which is the store that is not written. Set ${setting}=dual, or to that store.`)
  }
  if (!isBegun && (await backing.holds(otherSide(uses)))) {
    refuse(
      `${setting} is ${value}, and the other store of ${feature} holds data that would not be answered. ` +
        `Set ${setting}=dual and move them by docs/CUTOVER.md, or take the files or rows of the other store away.`,
    )
  }
}

/** In the phase that fits the data: the former store cannot answer what only the new one holds. */
async function beginBoth({ database, clock }: BeginParts, feature: string, { holds }: Backing) {
  const isNewAlone = (await holds('current')) && !(await holds('legacy'))
  await database.write(async (tx) => {
    const seen = await readState(tx, feature)
    // Whoever was first has looked before anything was written.
    if (seen.isBegun || !(await insertState(tx, seen)) || !isNewAlone) return
    const reason = 'only the new store held anything when both were used for the first time'
    await changeState(tx, seen, { to: 'done', complete: false, reason, at: clock.now() })
  })
}
