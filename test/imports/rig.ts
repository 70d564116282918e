// Files in a folder of their own, and a store that knows what it has: what an import needs to be looked at.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Database } from '../../src/db/index.ts'
import { type ImportOptions, listImportFiles, runImport, type Take } from '../../src/imports/index.ts'
import { systemClock } from '../../src/kernel/index.ts'

export interface Folder {
  readonly path: string
  /** Writes a file, with the folders above it; answers its path. */
  file(name: string, content: string | Buffer): string
  remove(): void
}

export function openFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), 'sluice-imports-'))
  return {
    path,
    file(name, content) {
      const file = join(path, name)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, content)
      return file
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  }
}

export interface Shelf {
  readonly take: Take
  /** Every text once, in the order in which it came first. */
  readonly texts: Set<string>
}

/** Keeps each text once; one with `bad` in it is quarantined. `before` may throw, as a store that dies would. */
export function openShelf(before: (call: number) => void = () => {}): Shelf {
  const texts = new Set<string>()
  let calls = 0
  return {
    texts,
    async take(pieces, { dryRun }) {
      calls += 1
      before(calls)
      const good = pieces.filter(({ text }) => !text.includes('bad'))
      const fresh = good.filter(({ text }) => !texts.has(text))
      if (!dryRun) for (const { text } of fresh) texts.add(text)
      const quarantined = pieces
        .filter(({ text }) => text.includes('bad'))
        .map((piece) => ({ piece, reason: 'bad_number', detail: 'bad', symbol: 'S\0', source: 'a', time: 5 }))
      return { stored: fresh.length, duplicate: good.length - fresh.length, quarantined }
    },
  }
}

export const importPath = async (
  path: string,
  database: Database,
  take: Take,
  more: Partial<ImportOptions> = {},
) =>
  runImport({
    files: await listImportFiles(path),
    database,
    clock: systemClock,
    kind: 'ticks',
    take,
    ...more,
  })
