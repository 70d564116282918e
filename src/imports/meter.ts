// Counts over all files, how fast they go and how long the rest will take.
import type { Clock } from '../kernel/index.ts'
import type { ImportCounts, ImportProgress } from './import.ts'
import type { FileProgress } from './import-rows.ts'
import type { ImportFile } from './list-files.ts'

export const NO_COUNTS: ImportCounts = { read: 0, stored: 0, duplicate: 0, quarantined: {} }

export function addCounts(a: ImportCounts, b: ImportCounts): ImportCounts {
  const quarantined = { ...a.quarantined }
  for (const [reason, count] of Object.entries(b.quarantined)) {
    quarantined[reason] = (quarantined[reason] ?? 0) + count
  }
  return {
    read: a.read + b.read,
    stored: a.stored + b.stored,
    duplicate: a.duplicate + b.duplicate,
    quarantined,
  }
}

export interface Meter {
  /** `counts` are those of the files before; `before` is what an interrupted import did of this one. */
  begin(file: ImportFile, counts: ImportCounts, before: FileProgress): void
  /** `bytes` of this file on the disk are read. */
  tell(bytes: number, progress: FileProgress): void
  end(): { files: number; bytes: number; tookMs: number }
}

export function openMeter({
  clock,
  files,
  onProgress,
}: {
  clock: Clock
  files: readonly ImportFile[]
  onProgress?: ((progress: ImportProgress) => void) | undefined
}): Meter {
  const startedAt = clock.monotonic()
  const bytesTotal = files.reduce((sum, { bytes }) => sum + bytes, 0)
  let [fileNumber, path, bytesBefore, fileBytes] = [0, '', 0, 0]
  let countsBefore = NO_COUNTS
  // What was done before this run says nothing about its rate.
  let [bytesSkipped, readSkipped] = [0, 0]
  return {
    begin(file, counts, before) {
      fileNumber += 1
      path = file.path
      bytesBefore += fileBytes
      fileBytes = file.bytes
      countsBefore = counts
      bytesSkipped += before.done ? file.bytes : Math.min(before.offset, file.bytes)
      readSkipped += before.read
    },
    tell(bytes, progress) {
      if (!onProgress) return
      const counts = addCounts(countsBefore, progress)
      const tookMs = Math.max(1, clock.monotonic() - startedAt)
      const bytesDone = bytesBefore + Math.min(bytes, fileBytes)
      const bytesPerMs = (bytesDone - bytesSkipped) / tookMs
      const remainingMs = bytesPerMs > 0 ? (bytesTotal - bytesDone) / bytesPerMs : undefined
      const piecesPerSecond = ((counts.read - readSkipped) / tookMs) * 1_000
      const place = { path, file: fileNumber, files: files.length, bytesDone, bytesTotal }
      onProgress({ ...counts, ...place, piecesPerSecond, remainingMs })
    },
    end: () => ({
      files: files.length,
      bytes: bytesTotal,
      tookMs: Math.round(clock.monotonic() - startedAt),
    }),
  }
}
