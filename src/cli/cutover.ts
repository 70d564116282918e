// `sluice cutover`: where features are on their way from a store to another, and their steps.
import { FEATURE_NAMES, FEATURES, type FeatureName } from '../catalog/index.ts'
import type { Copied, FeatureState, FeatureStatus, Side } from '../cutover/index.ts'
import { isoTime, isSluiceError } from '../kernel/index.ts'
import { beginFeature, type Platform } from '../platform.ts'
import { withPlatform } from './connection.ts'
import { featureNamed, storeName, withStores } from './cutover-features.ts'
import { progressOf, whole } from './cutover-progress.ts'
import { unlessStopped } from './cutover-stop.ts'
import { type Terminal, table } from './terminal.ts'

export interface CutoverOptions {
  readonly json?: boolean
  readonly reason?: string
  readonly revision?: number
}

export async function showCutovers(name: string | undefined, terminal: Terminal): Promise<void> {
  const features = name === undefined ? FEATURE_NAMES : [featureNamed(name)]
  const [statuses, config] = await withPlatform(
    async ({ cutover, config }) =>
      [await Promise.all(features.map(async (one) => withLead(await cutover.status(one)))), config] as const,
  )
  if (terminal.json) {
    for (const status of statuses) {
      const notInForce = goesRound(status.feature as FeatureName, config) ?? null
      terminal.result({ ...status, notInForce }, '')
    }
    return
  }
  const texts = [statusTable(statuses), '', ...statuses.flatMap(nextStep)]
  for (const feature of features) {
    const backend = goesRound(feature, config)
    if (backend) texts.push(`${feature}: its phase is not in force: ${backend}`)
  }
  if (name !== undefined) texts.push('', historyOf(statuses[0]!))
  terminal.result(statuses, texts.join('\n'))
}

/** Written is also what leads the other store. */
function withLead(status: FeatureStatus): FeatureStatus {
  const { use } = status
  const { currentLeads } = FEATURES[status.feature as FeatureName]
  return {
    ...status,
    use: { ...use, writes: { ...use.writes, current: use.writes.current || currentLeads } },
  }
}

/** Where a store is named instead of the phase: the setting, as text. */
function goesRound(feature: FeatureName, config: Platform['config']): string | undefined {
  const setting = ({ ticks: 'TICKS_BACKEND', candles: 'CANDLES_BACKEND' } as const)[feature]
  return config[setting] === 'dual' ? undefined : `${setting} is ${config[setting]}`
}

const statusTable = (statuses: readonly FeatureStatus[]): string =>
  table(
    ['feature', 'phase', 'revision', 'since', 'written', 'answers', 'compared reads', 'differed'],
    statuses.map(({ feature, phase, revision, changedAt, use, shadow }) => {
      const name = feature as FeatureName
      const written = (['legacy', 'current'] as const).filter((side) => use.writes[side])
      return [
        ...[feature, phase, revision],
        changedAt === 0 ? '-' : isoTime(changedAt).slice(0, 19),
        written.map((side) => storeName(name, side)).join(' + '),
        storeName(name, use.reads),
        use.compares ? (shadow?.compared ?? 0) : '-',
        use.compares ? (shadow?.different ?? 0) : '-',
      ]
    }),
  )

function nextStep({ feature, phase, missing }: FeatureStatus): string[] {
  if (phase === 'done') return []
  if (missing) return [`${feature} cannot advance: ${missing}`]
  return [`${feature} can advance: sluice cutover advance ${feature} --reason …`]
}

const historyOf = ({ changes }: FeatureStatus): string =>
  changes.length === 0
    ? 'no change yet'
    : table(
        ['revision', 'when', 'from', 'to', 'reason'],
        changes.map(({ revision, at, from, to, reason }) => [
          ...[revision, isoTime(at).slice(0, 19), from, to, reason],
        ]),
      )

export async function changePhase(
  verb: 'advance' | 'rollback',
  name: string,
  { reason = '', revision }: CutoverOptions,
  terminal: Terminal,
): Promise<void> {
  const feature = featureNamed(name)
  await withPlatform(async (platform) => {
    const { cutover } = platform
    warnOfBackend(feature, platform, terminal)
    await beginFeature(platform, feature, { uses: 'both' })
    const state = await unlessStopped(terminal, 'stopped while waiting: nothing was changed', (signal) =>
      cutover[verb](feature, { reason, revision, signal, onWait: waiting(terminal) }),
    )
    if (!state) return
    if (verb === 'advance' || state.phase !== 'primary') return tellState(state, terminal)
    terminal.note(`${feature} is in primary; what the ${storeName(feature, 'legacy')} missed is brought back`)
    await copyWith(feature, platform, terminal)
  })
}

/** Goes on with a copy that was ended. */
export async function copyHistory(name: string, terminal: Terminal): Promise<void> {
  const feature = featureNamed(name)
  await withPlatform((platform) => copyWith(feature, platform, terminal))
}

async function copyWith(feature: FeatureName, platform: Platform, terminal: Terminal): Promise<void> {
  const goesOn = `what is copied stays, and this goes on: sluice cutover copy ${feature}`
  const options = { onProgress: progressOf(terminal, 'copying'), onWait: waiting(terminal) }
  const copied = await unlessStopped(terminal, `stopped; ${goesOn}`, async (signal) => {
    try {
      return await withStores(feature, platform, terminal, (stores) =>
        platform.cutover.copy(stores, { ...options, signal }),
      )
    } catch (error) {
      // A database that was locked for seconds, after a phase was changed: what is left to do must be said.
      const isOurs = signal.aborted || isSluiceError(error, 'CUTOVER_REFUSED')
      if (!isOurs) terminal.note(`the copy did not come to its end; ${goesOn}`)
      throw error
    }
  })
  if (copied) tellCopied(feature, copied, terminal)
}

const waiting = (terminal: Terminal) => (forMs: number) =>
  terminal.note(`waiting ${Math.ceil(forMs / 1_000)} s until no process goes by what was before`, 'waiting', {
    forMs,
  })

function tellState(state: FeatureState, terminal: Terminal): void {
  const { feature, phase, revision } = state
  const next: Partial<Record<typeof phase, string>> = {
    dual: state.complete
      ? ''
      : `; what was written before is brought over by: sluice cutover copy ${feature}`,
    shadow: '; reads are compared: sluice cutover status',
  }
  terminal.result(state, `${feature} is in ${phase}, revision ${revision}${next[phase] ?? ''}`)
}

function tellCopied(feature: FeatureName, copied: Copied, terminal: Terminal): void {
  const { to, parts, partsSkipped, records } = copied
  const before = partsSkipped > 0 ? ` (${partsSkipped} parts were there from before)` : ''
  const into: Side = to
  terminal.result(
    { feature, ...copied },
    `copied ${whole(records)} records in ${parts} parts into the ${storeName(feature, into)}${before}; next: sluice parity run ${feature}`,
  )
}

/** Phases move what writes by them only. */
function warnOfBackend(feature: FeatureName, { config }: Platform, terminal: Terminal): void {
  const backend = goesRound(feature, config)
  if (!backend) return
  terminal.note(
    `${backend}: no worker starts with it while both stores are written; set it to dual`,
    'warning',
  )
}
