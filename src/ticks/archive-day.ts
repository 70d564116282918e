// One day from its open file into an archive, and back. Each way ends with the one moment in which nobody else is at
// the files: the new one gets its name, then the old one goes.
import { renameSync, rmSync, statSync } from 'node:fs'
import { SluiceError } from '../kernel/index.ts'
import { compareFiles } from './archive-compare.ts'
import { removeDraft, writeDraft } from './archive-rewrite.ts'
import { type DayFile, openDayFile } from './day-file.ts'
import { type DayPaths, fileIdentity, syncFolder } from './folder.ts'
import { type FolderDays, removeLogs } from './folder-days.ts'
import type { FolderGate } from './folder-gate.ts'

export interface ArchivePlace {
  readonly days: FolderDays
  readonly gate: FolderGate
}

// Late ticks that come while a day is rewritten send it round again.
const ATTEMPTS = 3

/** FILE_NOT_FOUND when there is nothing of the day. */
export function compressDay(place: ArchivePlace, paths: DayPaths): void {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { open, archive } = place.days.current(paths.day)
    if (!open) {
      if (!archive) throw nothingOf(paths)
      removeLeftovers(place, paths)
      return
    }
    const sources = archive ? [open, archive] : [open]
    const mark = withoutDraft(paths, () => archiveWhole(paths, sources, open, archive))
    if (place.gate.alone(() => putArchive(place, paths, open.identity, mark))) return
  }
  throw new SluiceError('DATABASE_BUSY', `Ticks of ${paths.name} came each time that it was archived.`, {
    day: paths.name,
  })
}

/** A draft that failed is not left behind: the disk may be full with it. */
function withoutDraft<T>({ draft }: DayPaths, work: () => T): T {
  try {
    return work()
  } catch (error) {
    removeDraft(draft)
    throw error
  }
}

/** Leaves a draft that holds all, or none where the archive already does; returns the mark of the open file. */
function archiveWhole(
  paths: DayPaths,
  sources: DayFile[],
  open: DayFile,
  archive: DayFile | undefined,
): string {
  return inSnapshot(open, () => {
    const mark = markOf(open)
    const { draft } = paths
    removeDraft(draft)
    // Whoever made the archive from this file was killed before the file was removed.
    if (archive?.source === open.id && total(archive, 'shared') === total(open, 'ticks')) {
      compareFiles(sources, archive)
      return mark
    }
    const madeFrom = { id: open.id, bytes: bytesOf(paths.open) + (archive?.sourceBytes ?? 0) }
    const shared = (symbol: string, source: string) => open.series(symbol, source)[0]?.ticks ?? 0
    writeDraft(sources, { path: draft, isArchive: true, madeFrom, shared })
    compareDraft(sources, draft)
    return mark
  })
}

function compareDraft(sources: readonly DayFile[], path: string): void {
  const draft = openDayFile({ path, busyMs: 0, readOnly: true })!
  try {
    compareFiles(sources, draft)
  } finally {
    draft.close()
  }
}

/** False when the open file has other ticks in it than were compared. */
function putArchive({ days }: ArchivePlace, paths: DayPaths, identity: number, mark: string): boolean {
  const { open } = days.current(paths.day)
  if (open?.identity !== identity || markOf(open) !== mark) return false
  days.drop(paths.day)
  if (fileIdentity(paths.draft) !== undefined) renameSync(paths.draft, paths.archive)
  syncFolder(paths.folder)
  rmSync(paths.open)
  removeLogs(paths.open)
  syncFolder(paths.folder)
  return true
}

/** FILE_NOT_FOUND when there is nothing of the day. */
export function restoreDay(place: ArchivePlace, paths: DayPaths): void {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { open, archive } = place.days.current(paths.day)
    if (!archive) {
      if (!open) throw nothingOf(paths)
      return
    }
    if (!open) withoutDraft(paths, () => openWhole(paths, archive))
    else if (open.source === archive.id && total(open, 'shared') === total(archive, 'ticks')) {
      // Whoever restored the day was killed before the archive was removed.
      inSnapshot(open, () => compareFiles([open, archive], open))
    } else {
      compressDay(place, paths)
      continue
    }
    if (place.gate.alone(() => putOpen(place, paths, open?.identity, archive.identity))) return
  }
  throw new SluiceError('DATABASE_BUSY', `Ticks of ${paths.name} came each time that it was restored.`, {
    day: paths.name,
  })
}

function openWhole(paths: DayPaths, archive: DayFile): void {
  const { draft } = paths
  const madeFrom = { id: archive.id, bytes: bytesOf(paths.archive) }
  const shared = (symbol: string, source: string) => archive.series(symbol, source)[0]?.ticks ?? 0
  writeDraft([archive], { path: draft, isArchive: false, madeFrom, shared })
  compareDraft([archive], draft)
  removeLogs(draft)
}

/** False when the day got an open file in the meantime. */
function putOpen(
  { days }: ArchivePlace,
  paths: DayPaths,
  open: number | undefined,
  archive: number,
): boolean {
  if (fileIdentity(paths.open) !== open || fileIdentity(paths.archive) !== archive) return false
  days.drop(paths.day)
  if (open === undefined) {
    removeLogs(paths.open)
    renameSync(paths.draft, paths.open)
    syncFolder(paths.folder)
  }
  rmSync(paths.archive)
  syncFolder(paths.folder)
  return true
}

/** Of who was killed while rewriting the day, or while removing its open file. */
function removeLeftovers({ gate }: ArchivePlace, paths: DayPaths): void {
  removeDraft(paths.draft)
  gate.alone(() => {
    if (fileIdentity(paths.open) === undefined) removeLogs(paths.open)
  })
}

const nothingOf = ({ name }: DayPaths) =>
  new SluiceError('FILE_NOT_FOUND', `There are no ticks of ${name}.`, { day: name })

function total(file: DayFile, column: 'ticks' | 'shared'): number {
  const row = file.statement(`select coalesce(sum(${column}), 0) total from series`).get()
  return (row as { total: number }).total
}

/** Another one after each write: the number of ticks alone would not show that some were laid out anew. */
function markOf(file: DayFile): string {
  const row = file.statement('select count(*) blocks, total(crc) crc from blocks').get()
  const { blocks, crc } = row as { blocks: number; crc: number }
  return `${blocks} ${crc} ${total(file, 'ticks')}`
}

/** Of a file and its log. */
export function bytesOf(path: string): number {
  return [path, `${path}-wal`]
    .map((one) => statSync(one, { throwIfNoEntry: false })?.size ?? 0)
    .reduce((sum, bytes) => sum + bytes, 0)
}

/** What is written and what it is compared with are one moment of the file. */
function inSnapshot<T>(file: DayFile, work: () => T): T {
  file.statement('begin').run()
  try {
    return work()
  } finally {
    file.statement('commit').run()
  }
}
