// `sluice parity`: compares both stores of a feature and prints what differs.
import type { FeatureName } from '../catalog/index.ts'
import type { Difference, Run } from '../cutover/index.ts'
import { isoTime } from '../kernel/index.ts'
import { withPlatform } from './connection.ts'
import { featureNamed, storeName, withStores } from './cutover-features.ts'
import { progressOf, whole } from './cutover-progress.ts'
import { unlessStopped } from './cutover-stop.ts'
import type { Terminal } from './terminal.ts'

export interface ParityOptions {
  readonly json?: boolean
  readonly run?: string
  readonly limit?: number
}

/** Answers the exit code. */
export async function runParity(name: string, terminal: Terminal): Promise<0 | 1> {
  const feature = featureNamed(name)
  const options = {
    onProgress: progressOf(terminal, 'comparing'),
    onDifference: (difference: Difference) => tellDifference(feature, difference, terminal),
  }
  const run = await withPlatform((platform) =>
    unlessStopped(terminal, 'stopped: this run proves nothing', (signal) =>
      withStores(feature, platform, terminal, (stores) =>
        platform.cutover.compare(stores, { ...options, signal }),
      ),
    ),
  )
  if (!run) return 1
  tellRun(run, terminal)
  if (run.endedAt === undefined) {
    terminal.note(
      'all that there is may still change, so nothing was compared; again in some minutes',
      'young',
    )
  }
  return proves(run) ? 0 : 1
}

const proves = ({ different, endedAt }: Run) => different === 0 && endedAt !== undefined

/** Answers the exit code. */
export async function reportParity(
  name: string,
  { run: id, limit = 100 }: ParityOptions,
  terminal: Terminal,
): Promise<0 | 1> {
  const feature = featureNamed(name)
  const report = await withPlatform(({ cutover }) => cutover.report(feature, id, limit))
  if (!report) {
    const what = id === undefined ? 'nothing was compared yet' : `there is no run ${id}`
    terminal.result(null, `${what}; compare: sluice parity run ${feature}`)
    return 1
  }
  const { run, differences } = report
  for (const difference of differences) tellDifference(feature, difference, terminal)
  tellRun(run, terminal)
  return proves(run) ? 0 : 1
}

function tellDifference(feature: FeatureName, difference: Difference, terminal: Terminal): void {
  const { key, legacy, current } = difference
  const [former, newer] = [storeName(feature, 'legacy'), storeName(feature, 'current')]
  const width = Math.max(former.length, newer.length)
  const line = (store: string, value: string | null) => `  ${store.padEnd(width)}  ${value ?? '(missing)'}`
  terminal.result(difference, () => [key, line(former, legacy), line(newer, current)].join('\n'))
}

function tellRun(run: Run, terminal: Terminal): void {
  const { id, kind, revision, startedAt, endedAt, compared, different } = run
  const what = kind === 'full' ? 'records' : 'reads'
  const result = different === 0 ? 'no difference' : `${whole(different)} differ`
  const isOpen = kind === 'full' && endedAt === undefined ? ', not ended' : ''
  terminal.result(
    run,
    `${whole(compared)} ${what} compared, ${result}${isOpen}  (run ${id}, revision ${revision}, ${isoTime(startedAt).slice(0, 19)})`,
  )
}
