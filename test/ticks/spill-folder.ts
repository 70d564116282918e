// A folder for the files of a test.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** Gone after the test. */
export function folderForTest(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-ticks-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
