// `sluice partitions`: the files of ticks.
import { messageOf } from '../kernel/index.ts'
import { type DayReport, daysToArchive, type TickArchive } from '../ticks/index.ts'
import { type Terminal, table } from './terminal.ts'
import { withArchive } from './tick-store.ts'

export async function listPartitions(terminal: Terminal): Promise<void> {
  const days = await withArchive('read', async (archive) => archive.list())
  if (terminal.json) {
    for (const day of days) terminal.result(day, '')
    return
  }
  const rows = days.map(({ day, state, series, ticks, bytes, ratio }) => [
    ...[day, state, series, ticks, bytes],
    ...[ticks === 0 ? '' : (bytes / ticks).toFixed(1), ratio === undefined ? '' : `${ratio.toFixed(1)} ×`],
  ])
  const headers = ['day', 'state', 'series', 'ticks', 'bytes', 'bytes/tick', 'smaller']
  terminal.result(days, () => (rows.length === 0 ? 'no ticks are kept yet' : table(headers, rows)))
}

/** The exit code. */
export const rotatePartitions = (terminal: Terminal): Promise<number> =>
  withArchive('change', async (archive, afterDays, now) => {
    const days = daysToArchive(archive, now, afterDays)
    if (days.length === 0) terminal.result([], 'nothing to compress')
    return each(days, (day) => compressed(archive, day, terminal), terminal)
  })

/** The exit code: 1 when a day failed or is damaged; the others are done all the same. */
export const changePartitions = (
  verb: 'compress' | 'verify' | 'restore',
  given: readonly string[],
  terminal: Terminal,
): Promise<number> =>
  withArchive(verb === 'verify' ? 'read' : 'change', async (archive) => {
    const days = given.length > 0 ? given : archive.list().map(({ day }) => day)
    if (verb === 'verify') return each(days, (day) => verified(archive, day, terminal), terminal)
    const change = verb === 'compress' ? compressed : restored
    return each(days, (day) => change(archive, day, terminal), terminal)
  })

async function each(
  days: readonly string[],
  work: (day: string) => boolean,
  terminal: Terminal,
): Promise<number> {
  let code = 0
  for (const day of days) {
    try {
      if (!work(day)) code = 1
    } catch (error) {
      code = 1
      terminal.note(`${day}: ${messageOf(error)}`, 'failed', { day })
    }
  }
  return code
}

const sizeText = ({ ticks, bytes, ratio }: DayReport) =>
  `${ticks} ticks in ${bytes} bytes${ratio === undefined ? '' : `, ${ratio.toFixed(1)} times smaller`}`

function compressed(archive: TickArchive, day: string, terminal: Terminal): boolean {
  const report = archive.compress(day)
  terminal.result(report, () => `${day} is compressed: ${sizeText(report)}`)
  return true
}

function restored(archive: TickArchive, day: string, terminal: Terminal): boolean {
  const report = archive.restore(day)
  terminal.result(report, () => `${day} is open again: ${sizeText(report)}`)
  return true
}

function verified(archive: TickArchive, day: string, terminal: Terminal): boolean {
  const { problems, ...found } = archive.verify(day)
  const isWhole = problems.length === 0
  terminal.result({ ...found, problems }, () =>
    isWhole
      ? `${day} is whole: ${found.ticks} ticks in ${found.blocks} blocks`
      : `${day} is DAMAGED:\n${problems.map((problem) => `  ${problem}`).join('\n')}`,
  )
  return isWhole
}
